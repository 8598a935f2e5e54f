import os
import pickle
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

import tasks

NAME = "reasoning_ops"


@pytest.fixture
def builder(few, tmp_path):
    return make(few, tmp_path)


def make(few, data_dir, task="dot", inputs="random", name="small"):
    config = tasks.ReasoningOpsConfig(
        name=name, task=task, inputs=inputs, **few
    )
    builder = tfds.builder(NAME, config=config, data_dir=data_dir)
    builder.download_and_prepare()
    return builder


@pytest.fixture
def arrays(few, tmp_path):
    """What the builder should give, by split."""
    return {
        split: tasks.load("dot", "random", split, tmp_path, **few)
        for split in tasks.SPLITS
    }


def numbers(dataset):
    """All of a supervised data set as arrays."""
    pairs = list(dataset.batch(10_000).as_numpy_iterator())
    assert len(pairs) == 1
    return pairs[0]


def assert_same(found, expected):
    (a, b), label = found
    (expected_a, expected_b), expected_label = expected
    np.testing.assert_array_equal(a, expected_a)
    np.testing.assert_array_equal(b, expected_b)
    np.testing.assert_array_equal(label, expected_label)


def part(arrays, start, stop):
    (a, b), label = arrays
    return (a[start:stop], b[start:stop]), label[start:stop]


def joined(first, second):
    (a, b), label = first
    (c, d), other = second
    return (
        (np.concatenate([a, c]), np.concatenate([b, d])),
        np.concatenate([label, other]),
    )


def test_configs():
    configs = tfds.builder_cls(NAME).builder_configs
    assert list(configs) == [f"{task}_{inputs}" for task, inputs in tasks.PAIRS]
    config = configs["logical_xor_many_hot"]
    assert config.settings == tasks.InputSettings("many_hot")


def test_load_by_name(monkeypatch, tmp_path, few):
    """As in the README, but for the number of records."""
    dataset, info = tfds.load(
        "reasoning_ops/one_hot_sum_one_hot",
        split="test",
        as_supervised=True,
        with_info=True,
        data_dir=tmp_path,
    )
    expected = tasks.load("one_hot_sum", "one_hot", "test", tmp_path)
    assert_same(numbers(dataset), expected)
    assert len(dataset) == 4000
    (a, b), label = dataset.element_spec
    assert a.shape == b.shape == label.shape == (128,)
    assert a.dtype == b.dtype == label.dtype == "float32"
    assert info.splits["train"].num_examples == 8384
    assert info.splits["train[:10%]"].num_examples == 838
    assert info.supervised_keys == (("a", "b"), "label")
    assert "no record is in two splits" in info.description
    assert "element-wise multiplication" in info.citation


@pytest.mark.parametrize(
    "split, wanted",
    [
        ("train", [("train", 0, 3000)]),
        ("train[:10%]", [("train", 0, 300)]),
        ("train[-5:]", [("train", 2995, 3000)]),
        ("test[10:20]+validation", [("test", 10, 20), ("validation", 0, 40)]),
        ("validation+test", [("validation", 0, 40), ("test", 0, 50)]),
        (
            tfds.core.ReadInstruction("train", from_=25, to=75, unit="%"),
            [("train", 750, 2250)],
        ),
    ],
    ids=str,
)
def test_splits(split, wanted, builder, arrays):
    expected = part(arrays[wanted[0][0]], *wanted[0][1:])
    for name, start, stop in wanted[1:]:
        expected = joined(expected, part(arrays[name], start, stop))
    dataset = builder.as_dataset(split=split, as_supervised=True)
    assert len(dataset) == len(expected[1])
    assert_same(numbers(dataset), expected)
    source = builder.as_data_source(split)
    assert len(source) == len(expected[1])
    for index in (0, len(source) // 2, -1):
        record = source[index]
        np.testing.assert_array_equal(record["a"], expected[0][0][index])
        np.testing.assert_array_equal(record["label"], expected[1][index])


def test_all_splits(builder, few):
    datasets = builder.as_dataset()
    assert {name: len(each) for name, each in datasets.items()} == {
        "train": 3000,
        "validation": 40,
        "test": 50,
    }
    sources = builder.as_data_source()
    assert {name: len(each) for name, each in sources.items()} == {
        "train": 3000,
        "validation": 40,
        "test": 50,
    }
    test, (few_train,) = builder.as_dataset(split=["test", ["train[:3]"]])
    assert len(test) == 50 and len(few_train) == 3
    thirds = builder.as_data_source(tfds.even_splits("test", n=3))
    assert sorted(len(each) for each in thirds) == [16, 17, 17]


@pytest.mark.parametrize("batch_size", [1, 7, 1024, 2000, 5000])
def test_batches(batch_size, builder, arrays):
    dataset = builder.as_dataset(
        split="train", batch_size=batch_size, as_supervised=True
    )
    batches = list(dataset.take(3000).as_numpy_iterator())
    assert len(batches) == len(dataset) == -(-3000 // batch_size)
    sizes = [len(label) for _, label in batches]
    assert all(size == batch_size for size in sizes[:-1])
    found = batches[0]
    for each in batches[1:] if batch_size > 1 else []:
        found = joined(found, each)
    if batch_size > 1:
        assert_same(found, arrays["train"])


def test_whole_as_tensors(builder, arrays):
    batch = builder.as_dataset(split="test", batch_size=-1)
    assert set(batch) == {"a", "b", "label"}
    (a, b), label = arrays["test"]
    for name, expected in (("a", a), ("b", b), ("label", label)):
        np.testing.assert_array_equal(batch[name].numpy(), expected)


def test_dictionaries(builder, arrays):
    record = next(builder.as_dataset(split="test").as_numpy_iterator())
    assert set(record) == {"a", "b", "label"}
    np.testing.assert_array_equal(record["b"], arrays["test"][0][1][0])


@pytest.mark.parametrize("batch_size", [None, 500, 1024])
def test_shuffle(batch_size, builder, arrays):
    """Every record once, in an order the seed decides."""

    def labels(seed):
        dataset = builder.as_dataset(
            split="train",
            batch_size=batch_size,
            shuffle_files=True,
            read_config=tfds.ReadConfig(shuffle_seed=seed),
        )
        if batch_size is None:
            dataset = dataset.batch(100)
        found = [batch["label"] for batch in dataset.as_numpy_iterator()]
        if batch_size:
            assert {len(each) for each in found[:-1]} == {batch_size}
        return np.concatenate(found)

    expected = arrays["train"][1]
    first, again, *others = (labels(seed) for seed in (1, 1, 2, 3, 4, 5))
    np.testing.assert_array_equal(np.sort(first, 0), np.sort(expected, 0))
    np.testing.assert_array_equal(first, again)
    assert any(np.any(each != first) for each in others)


def test_workers_share_the_records(builder, arrays):
    import tensorflow as tf

    found = []
    for worker in range(2):
        context = tf.distribute.InputContext(2, worker)
        dataset = builder.as_dataset(
            split="train",
            batch_size=100,
            read_config=tfds.ReadConfig(input_context=context),
        )
        found += [each["label"] for each in dataset.as_numpy_iterator()]
    found = np.sort(np.concatenate(found), axis=0)
    np.testing.assert_array_equal(found, np.sort(arrays["train"][1], axis=0))


def test_data_source(builder, arrays):
    source = builder.as_data_source("train")
    (a, b), label = arrays["train"]
    record = source[17]
    np.testing.assert_array_equal(record["a"], a[17])
    np.testing.assert_array_equal(record["b"], b[17])
    np.testing.assert_array_equal(record["label"], label[17])
    assert record["a"].shape == (16,) and record["label"].shape == (1,)
    assert record["a"].dtype == record["label"].dtype == np.float32
    several = source.__getitems__([5, 2999, 5])
    for each, index in zip(several, (5, 2999, 5), strict=True):
        np.testing.assert_array_equal(each["b"], b[index])
    assert len(source[10:16:2]) == 3
    np.testing.assert_array_equal(source[10:16:2][1]["a"], a[12])
    assert sum(1 for _ in builder.as_data_source("test")) == 50
    for index in (3000, -3001):
        with pytest.raises(IndexError, match=f"{index} is out of range"):
            source[index]


def test_data_source_is_pickled_without_its_data(builder):
    source = builder.as_data_source("train")
    source[0]
    pickled = pickle.dumps(source)
    assert len(pickled) < 2000
    again = pickle.loads(pickled)
    np.testing.assert_array_equal(again[9]["a"], source[9]["a"])


@pytest.mark.parametrize("task, inputs", tasks.PAIRS)
def test_every_pair(task, inputs, few, few_one_hot, tmp_path):
    few = few_one_hot if inputs == "one_hot" else few
    builder = make(few, tmp_path, task, inputs)
    batch = builder.as_dataset(split="test", batch_size=-1, as_supervised=True)
    assert_same(batch, tasks.load(task, inputs, "test", tmp_path, **few))
    width = builder.info.features["label"].shape[0]
    assert builder.as_data_source("test")[0]["label"].shape == (width,)


def test_inputs_are_stored_once(few, tmp_path):
    for task in ("dot", "elementwise_mul", "concat"):
        make(few, tmp_path, task, name=task).as_data_source()
    stored = list((tmp_path / NAME / "inputs").rglob("*.npy"))
    assert len(stored) == 6
    others = [
        path
        for path in (tmp_path / NAME).rglob("*")
        if path.is_file() and "inputs" not in path.parts[-4:]
    ]
    assert sum(path.stat().st_size for path in others) < 20_000


def test_two_configs_of_one_name(few, tmp_path):
    make(few, tmp_path)
    other = make({**few, "seed": 1}, tmp_path)
    for read in (other.as_dataset, other.as_data_source):
        with pytest.raises(
            ValueError, match=r"was prepared with .*seed=0, not 1"
        ):
            read(split="train")


def test_inputs_that_were_deleted_are_made_again(builder, few, tmp_path):
    expected = builder.as_data_source("test")[3]["a"]
    shutil.rmtree(tmp_path / NAME / "inputs")
    np.testing.assert_array_equal(
        make(few, tmp_path).as_data_source("test")[3]["a"], expected
    )


def truncate(path):
    os.truncate(path, os.path.getsize(path) // 2)


def miscount(path):
    path.write_text(path.read_text().replace('"3000"', '"2999"'))


@pytest.mark.parametrize(
    "name, damage",
    [
        ("dataset_info.json", truncate),
        ("dataset_info.json", os.unlink),
        ("dataset_info.json", miscount),
        ("settings.json", truncate),
        ("settings.json", os.unlink),
    ],
)
def test_corrupted(name, damage, builder, few, tmp_path):
    damage(builder.data_path / name)
    with pytest.raises(
        tasks.DataError, match=f"{builder.data_dir} is corrupted.* Delete it"
    ):
        make(few, tmp_path).as_data_source("train")


def test_not_prepared(few, tmp_path):
    config = tasks.ReasoningOpsConfig(name="new", **few)
    builder = tfds.builder(NAME, config=config, data_dir=tmp_path)
    with pytest.raises(AssertionError, match="download_and_prepare"):
        builder.as_data_source("train")
    with pytest.raises(AssertionError, match="download_and_prepare"):
        builder.as_dataset(split="train")


def test_bad_arguments(builder, few, tmp_path):
    for read in (builder.as_dataset, builder.as_data_source):
        with pytest.raises(ValueError, match="nothing to decode"):
            read(split="test", decoders={"a": tfds.decode.SkipDecoding()})
        with pytest.raises(ValueError, match="Unknown split"):
            read(split="trane")
    with pytest.raises(ValueError, match="not found"):
        tfds.builder("reasoning_ops/dot_randm", data_dir=tmp_path)
    with pytest.raises(ValueError, match="Received: width=0"):
        tasks.ReasoningOpsConfig(name="new", width=0)


PREPARE = """
import sys, tasks, tensorflow_datasets as tfds
config = tasks.ReasoningOpsConfig(
    name="small", task="dot", inputs="random", width=16,
    train_records=3000, validation_records=40, test_records=50,
)
source = tfds.data_source(
    "reasoning_ops", split="test", data_dir=sys.argv[1],
    builder_kwargs={"config": config},
)
assert len(source) == 50
assert len(source[49]["a"]) == 16
"""


def test_two_at_once(tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PREPARE, tmp_path],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    (version,) = (tmp_path / NAME / "small").iterdir()
    assert version.name == "1.0.0"


def test_killed(few, tmp_path):
    """Nothing is left of a preparation that was killed."""
    kill = """
import os, signal
from tasks.packed.builder import PackedBuilder as Builder
Builder._settings = lambda self: os.kill(os.getpid(), signal.SIGKILL)
"""
    process = subprocess.run(
        [sys.executable, "-c", kill + PREPARE, tmp_path], capture_output=True
    )
    assert process.returncode == -signal.SIGKILL
    (left,) = (tmp_path / NAME / "small").iterdir()
    assert left.name != "1.0.0"
    builder = make(few, tmp_path)
    assert len(builder.as_data_source("test")) == 50
    assert not left.exists()


def test_prepared_by_another_builder(few, tmp_path):
    config = tasks.ReasoningOpsConfig(name="small", **few)
    early, late, other = (
        tfds.builder(NAME, config=config, data_dir=tmp_path) for _ in range(3)
    )
    other.download_and_prepare()
    assert len(early.as_data_source("train[:5]")) == 5
    late.download_and_prepare()
    assert late.info.splits["test"].num_examples == 50


def test_metadata():
    metadata = tfds.builder_cls(NAME).get_metadata()
    assert metadata.tags and metadata.citation and metadata.description
