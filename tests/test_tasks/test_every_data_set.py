"""What all data sets have in common."""

import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow_datasets as tfds

import tasks
from tasks import arithmetic_ops
from tasks import named_letters
from tasks import placed_digits

FEW = {"train_records": 30, "validation_records": 5}
CONFIGS = {
    "reasoning_ops": lambda **more: tasks.ReasoningOpsConfig(
        name="small",
        task="dot",
        inputs="many_hot",
        width=11,
        test_records=7,
        **FEW,
        **more,
    ),
    "arithmetic_ops": lambda **more: tasks.ArithmeticOpsConfig(
        name="small",
        operation="div",
        settings=arithmetic_ops.ArithmeticSettings(
            interpolation_records=4, extrapolation_records=7, **FEW, **more
        ),
    ),
    "placed_digits": lambda **more: tasks.PlacedDigitsConfig(
        name="small",
        label="position",
        settings=placed_digits.PlacingSettings(test_records=7, **FEW, **more),
    ),
    "named_letters": lambda **more: tasks.NamedLettersConfig(
        name="small",
        settings=named_letters.LetterSettings(test_records=7, **FEW, **more),
    ),
}
every_data_set = pytest.mark.parametrize("name", CONFIGS)


def load(name, split, data_dir, **more):
    """The arrays that a data set's own `load` gives, of the small config."""
    if name == "reasoning_ops":
        settings = {"width": 11, "test_records": 7, **FEW, **more}
        return tasks.load("dot", "many_hot", split, data_dir, **settings)
    if name == "arithmetic_ops":
        settings = {"interpolation_records": 4, "extrapolation_records": 7}
        settings |= {**FEW, **more}
        return arithmetic_ops.load("div", split, data_dir, **settings)
    settings = {"test_records": 7, **FEW, **more}
    if name == "named_letters":
        return named_letters.load(split, data_dir, **settings)
    return placed_digits.load("position", split, data_dir, **settings)


def make(name, data_dir, **more):
    return tfds.builder(name, config=CONFIGS[name](**more), data_dir=data_dir)


def prepared(name, data_dir, **more):
    builder = make(name, data_dir, **more)
    builder.download_and_prepare()
    return builder


def last_split(name):
    return "extrapolation" if name == "arithmetic_ops" else "test"


@every_data_set
def test_both_views(name, tmp_path):
    """They give what `load` gives, one after the other, from the same files."""
    builder = prepared(name, tmp_path)
    source = builder.as_data_source("train")
    dataset = builder.as_dataset("train")
    batches = builder.as_dataset("train", batch_size=8, as_supervised=True)
    files = sorted((tmp_path / name / "inputs").rglob("*.npy"))
    assert {path.name.partition("_")[0] for path in files} == {"train"}
    expected = load(name, "train", tmp_path)
    if name in ("placed_digits", "named_letters"):
        images, *others = keras.tree.flatten(expected)
        expected = [np.round(images * 255).astype(np.uint8), *others]
    assert sorted((tmp_path / name / "inputs").rglob("*.npy")) == files
    for index, batch in enumerate(batches.as_numpy_iterator()):
        for found, whole in zip(
            keras.tree.flatten(batch), keras.tree.flatten(expected), strict=True
        ):
            part = whole[8 * index : 8 * index + 8]
            np.testing.assert_array_equal(found, part)
            assert found.dtype == part.dtype
    for found, record in zip(dataset.as_numpy_iterator(), source, strict=True):
        assert set(found) == set(record) == set(builder.info.features)
        for each in found:
            np.testing.assert_array_equal(found[each], record[each])
            assert found[each].dtype == record[each].dtype
    assert {
        split: len(each) for split, each in builder.as_dataset().items()
    } == {
        split: info.num_examples for split, info in builder.info.splits.items()
    }


@every_data_set
def test_first_records(name, tmp_path):
    whole = load(name, "train", tmp_path)
    some = load(name, "train", tmp_path, records=3)
    for few, every in zip(*map(keras.tree.flatten, (some, whole)), strict=True):
        np.testing.assert_array_equal(few, every[:3])
    with pytest.raises(ValueError, match=r"has 30 records\. .* records=31"):
        load(name, "train", tmp_path, records=31)
    with pytest.raises(ValueError, match="Unknown split 'tran'. Did you mean"):
        load(name, "tran", tmp_path)


@every_data_set
@pytest.mark.parametrize("first", ["load", "data_source"])
def test_one_after_the_other(name, first, tmp_path):
    """As the README writes them, in either order, and with other options."""
    config = {"builder_kwargs": {"config": CONFIGS[name]()}}
    options = {"split": last_split(name), "data_dir": tmp_path, **config}
    order = [tfds.load, tfds.data_source]
    for function in order if first == "load" else order[::-1]:
        assert len(function(name, **options)) == 7
    for file_format in ("tfrecord", "array_record"):
        kwargs = {**config["builder_kwargs"], "file_format": file_format}
        options["builder_kwargs"] = kwargs
        assert len(tfds.load(name, **options)) == 7
    assert len(tfds.data_source(name, **options)) == 7


@every_data_set
def test_by_name(name, tmp_path):
    """The default config, also of a version; without what is not asked for."""
    split = f"{last_split(name)}[:3]"
    version = tfds.builder_cls(name).VERSION
    for full_name in (name, f"{name}:{version}", f"{name}:{version}"):
        source = tfds.data_source(full_name, split=split, data_dir=tmp_path)
        dataset = tfds.load(full_name, split=split, data_dir=tmp_path)
        assert len(source) == len(list(dataset)) == 3
    source = tfds.data_source(
        name,
        split=split,
        data_dir=tmp_path,
        builder_kwargs={"version": str(version)},
    )
    assert len(source) == 3
    stored = {path.name for path in (tmp_path / name).rglob("*.npy")}
    assert not {each for each in stored if each.startswith("train")}


@every_data_set
def test_other_settings_under_an_old_name_are_refused(name, tmp_path):
    prepared(name, tmp_path)
    other = prepared(name, tmp_path, seed=1)
    for read in (other.as_dataset, other.as_data_source):
        with pytest.raises(
            ValueError,
            match=r"small/1\.0\.\d was prepared with other settings than those "
            r"of the config: seed=0, not 1\. Give the config another name",
        ):
            read("train")
    assert len(prepared(name, tmp_path).as_data_source("train")) == 30


@every_data_set
def test_settings_are_those_of_a_config(name, tmp_path):
    with pytest.raises(
        TypeError,
        match=r"takes its settings from a config: builder_kwargs=\{'config': "
        r".*Config\(name=\.\.\., \.\.\.\)\}\. Received: seed=3",
    ):
        tfds.load(name, data_dir=tmp_path, builder_kwargs={"seed": 3})


@every_data_set
def test_info(name, tmp_path):
    for info in (make(name, tmp_path).info, prepared(name, tmp_path).info):
        text = repr(info)
        assert "file_format" not in text and "tfrecord" not in text
        assert info.file_format is None
        assert "tensorflow.org" not in info.homepage
        assert info.citation and info.description
        assert info.config_description
    assert info.splits["train"].num_examples == 30
    assert info.dataset_size > 0


@every_data_set
def test_as_dataframe(name, tmp_path):
    builder = prepared(name, tmp_path)
    dataset = builder.as_dataset("train").take(3)
    frame = tfds.as_dataframe(dataset, builder.info)
    assert list(frame.columns) == sorted(builder.info.features)
    assert len(frame) == 3
    assert "<table" in frame._repr_html_()


def test_show_examples(tmp_path, monkeypatch):
    import matplotlib

    matplotlib.use("Agg")
    builder = prepared("placed_digits", tmp_path)
    figure = tfds.show_examples(
        builder.as_dataset("train"), builder.info, image_key="image"
    )
    assert len(figure.axes) == 9
    matplotlib.pyplot.close(figure)


@every_data_set
def test_pickle(name, tmp_path):
    source = prepared(name, tmp_path).as_data_source("train[5:]+validation")
    source[0]
    pickled = pickle.dumps(source)
    assert len(pickled) < 2000
    again = pickle.loads(pickled)
    for index in (3, 24, 25, -1):
        for each, value in source[index].items():
            np.testing.assert_array_equal(again[index][each], value)
    assert len(list(again)) == 30


@every_data_set
def test_no_records(name, tmp_path):
    builder = prepared(name, tmp_path)
    source = builder.as_data_source("train[:0]")
    assert len(source) == 0 and list(source) == []
    assert len(list(builder.as_dataset("train[:0]", batch_size=4))) == 0


WITHOUT_TENSORFLOW = """
import sys
from importlib.machinery import PathFinder

class Without:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] not in ("tensorflow", "keras", "jax"):
            return PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without

import tasks
import tensorflow_datasets as tfds

for name in ("arithmetic_ops/div", "placed_digits/digit"):
    split = "extrapolation" if name == "arithmetic_ops/div" else "test"
    source = tfds.data_source(name, split=split, data_dir=sys.argv[1])
    assert len(source[4]) >= 2
images, labels = tasks.images.load(
    "placed_digits/digit", "test", sys.argv[1], records=5
)
assert images.shape == (5, 20, 20, 1)
"""


def test_without_tensorflow(tmp_path):
    """`reasoning_ops` has a test of its own, that nothing imports it either."""
    subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, str(tmp_path)],
        check=True,
        capture_output=True,
    )
