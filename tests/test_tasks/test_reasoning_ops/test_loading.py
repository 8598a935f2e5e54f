import subprocess
import sys

import numpy as np
import pytest

import tasks
from tasks import OPERATIONS
from tasks import PAIRS


def test_pairs():
    assert len(PAIRS) == len(set(PAIRS)) == 35
    for pair in PAIRS:
        tasks.check_pair(*pair)
    assert PAIRS[0] == ("concat", "one_hot")
    assert PAIRS[-1] == ("logical_xor", "many_hot")


@pytest.mark.parametrize(
    "task, inputs, reason",
    [
        ("logical_xor", "random", "practically never zero"),
        ("logical_or", "random_pos", "practically never zero"),
        ("logical_and", "random", "practically never zero"),
        ("equality", "random", "practically never equal"),
        ("almost_equal", "random_pos", "practically never equal"),
        ("one_hot_sum", "many_hot", "only a one-hot vector"),
        ("one_hot_sum", "random", "only a one-hot vector"),
    ],
)
def test_meaningless_pairs(task, inputs, reason, tmp_path):
    for refused in (
        lambda: tasks.check_pair(task, inputs),
        lambda: tasks.load(task, inputs, data_dir=tmp_path),
        lambda: tasks.is_trivial(task, inputs, tmp_path, tolerance=0.1),
        lambda: tasks.ReasoningOpsConfig(name="x", task=task, inputs=inputs),
    ):
        with pytest.raises(
            ValueError, match=f"{task} makes no sense on {inputs}: .*{reason}"
        ):
            refused()
    assert (task, inputs) not in PAIRS
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments, text",
    [
        (
            ("logical_xr", "many_hot"),
            "Unknown task 'logical_xr'. Did you mean logical_xor or "
            "logical_or.*Known: concat, elementwise_mul,.*logical_xor.",
        ),
        (("dot", "rand"), "Unknown inputs 'rand'. Did you mean random"),
        (("dot", "random", "valid"), "Unknown split 'valid'. Did you mean"),
        (("zzz", "random"), "Unknown task 'zzz'. Known: concat,"),
        ((7, "random"), "Unknown task 7. Known"),
    ],
)
def test_unknown_names(arguments, text):
    with pytest.raises(ValueError, match=text):
        tasks.load(*arguments)


@pytest.mark.parametrize("task, inputs", PAIRS)
def test_load(task, inputs, few, few_one_hot, own_data_dir):
    few = few_one_hot if inputs == "one_hot" else few
    for split in tasks.SPLITS:
        (a, b), label = tasks.load(task, inputs, split, **few)
        count = few[f"{split}_records"]
        assert a.shape == b.shape == (count, 16)
        assert label.shape == (count, OPERATIONS[task].label_width(16))
        assert a.dtype == b.dtype == label.dtype == np.float32
        np.testing.assert_array_equal(label, OPERATIONS[task].label(a, b))
    assert (own_data_dir / "reasoning_ops" / "inputs").is_dir()


@pytest.mark.parametrize("inputs", tasks.INPUTS)
def test_first_records(inputs, few_one_hot, tmp_path):
    whole = tasks.load_inputs(inputs, "train", tmp_path, **few_one_hot)
    (a, b), label = tasks.load(
        "concat", inputs, "train", tmp_path, records=7, **few_one_hot
    )
    np.testing.assert_array_equal(a, whole[0][:7])
    np.testing.assert_array_equal(b, whole[1][:7])
    assert label.shape == (7, 32)
    with pytest.raises(ValueError, match=r"has 100 records\. .* records=101"):
        tasks.load_inputs(inputs, "train", tmp_path, records=101, **few_one_hot)
    with pytest.raises(ValueError, match=r"`records`\. Expected an integer"):
        tasks.load_inputs(inputs, "train", tmp_path, records=0, **few_one_hot)


@pytest.mark.parametrize("inputs", tasks.INPUTS)
def test_arrays_are_the_callers(inputs, few_one_hot, tmp_path):
    """Whoever writes to them changes nothing but what they hold."""
    arrays = tasks.load_inputs(inputs, "test", tmp_path, **few_one_hot)
    for array in arrays:
        assert type(array) is np.ndarray
        array += 5
    for array in tasks.load_inputs(inputs, "test", tmp_path, **few_one_hot):
        assert array.max() < 5


def test_prepared_once(few, tmp_path, monkeypatch):
    first = tasks.load("dot", "random", "test", tmp_path, **few)
    monkeypatch.setattr("tasks.packed.storage._prepare", None)
    again = tasks.load("dot", "random", "test", tmp_path, **few)
    np.testing.assert_array_equal(first[1], again[1])
    tasks.load("elementwise_mul", "random", "test", tmp_path, **few)


def test_progress_bar(few, tmp_path, capsys, monkeypatch):
    import tqdm

    bar = tqdm.tqdm
    monkeypatch.setattr(
        "tqdm.tqdm", lambda **kwargs: bar(**{**kwargs, "delay": 0})
    )
    tasks.load_inputs("random", "test", tmp_path, **few)
    captured = capsys.readouterr()
    assert "Preparing reasoning_ops, test: 100%" in captured.err
    assert captured.out == ""


NOTHING_BUT_NUMPY = """
import sys
from importlib.machinery import PathFinder

class Without:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] not in {missing}:
            return PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without

import tensorflow_datasets as tfds
import tasks

small = dict(train_records=100, validation_records=10, test_records=20)
(a, b), label = tasks.load("logical_xor", "many_hot", "test", **small)
assert label.shape == (20, 128)
config = tasks.ReasoningOpsConfig(
    name="x", task="logical_xor", inputs="many_hot", **small
)
source = tfds.data_source(
    "reasoning_ops", split="test", builder_kwargs=dict(config=config)
)
assert len(source) == 20
assert all((source[i]["label"] == label[i]).all() for i in range(20))
for name in ("tensorflow", "keras", "jax", "torch"):
    assert name not in sys.modules, name
"""


@pytest.mark.parametrize(
    "missing", [("tensorflow", "keras", "jax", "torch"), ()]
)
def test_without_tensorflow(missing):
    """Arrays and data sources neither need TensorFlow nor import it."""
    script = NOTHING_BUT_NUMPY.format(missing=missing)
    subprocess.run([sys.executable, "-c", script], check=True)
