import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tasks import images as task_images
from tasks import placed_digits
from tasks.placed_digits import PlacingSettings
from tasks.placed_digits import placed_digits_dataset_builder as builders
from tasks.placed_digits.placing import originals
from tasks.placed_digits.placing import place

# What the seed gives, for as long as the version of the data stays.
FROZEN_LABELS = [21, 152, 10, 19, 92]
FROZEN_SUM = 2846492

FEW = {"train_records": 300, "validation_records": 20, "test_records": 40}


def test_records_show_the_digit_where_they_say():
    settings = PlacingSettings(distractors=0, **FEW)
    digits, targets = originals("test")
    records = place(settings, "test")
    for index in range(40):
        row, column = records["offset"][index]
        image = records["image"][index, ..., 0].copy()
        found = image[row : row + 8, column : column + 8].copy()
        image[row : row + 8, column : column + 8] = 0
        assert not image.any()
        same = (digits == found).all((1, 2))
        assert records["digit"][index] in targets[same]


def test_position_is_the_cell_of_the_offset():
    records = place(PlacingSettings(position_cells=4, **FEW), "train")
    # 13 places along an axis in 4 cells of 4, 3, 3 and 3.
    cells = np.repeat([0, 1, 2, 3], [4, 3, 3, 3])
    row, column = cells[records["offset"]].T
    np.testing.assert_array_equal(records["position"], 4 * row + column)
    np.testing.assert_array_equal(
        records["both"], 16 * records["digit"] + records["position"]
    )
    assert set(records["position"]) == set(range(16))
    assert set(records["digit"]) == set(range(10))


def test_distractors_are_pieces_of_digits():
    without = place(PlacingSettings(distractors=0, **FEW), "train")
    settings = PlacingSettings(distractors=1, distractor_size=3, **FEW)
    image = place(settings, "train")["image"]
    digits, _ = originals("train")
    pieces = np.lib.stride_tricks.sliding_window_view(digits, (3, 3), (1, 2))
    known = {piece.tobytes() for piece in pieces.reshape(-1, 9)}
    canvas = np.lib.stride_tricks.sliding_window_view(
        image[..., 0], (3, 3), (1, 2)
    )
    for index in range(20):
        windows = canvas[index].reshape(-1, 9)
        assert any(w.any() and w.tobytes() in known for w in windows)
    assert image.astype(int).sum() > without["image"].astype(int).sum()


def test_splits_share_no_original():
    from sklearn.datasets import load_digits

    loaded = (load_digits().images * (255 / 16)).astype(np.uint8)
    found = [originals(split)[0] for split in ("train", "validation", "test")]
    assert [len(each) for each in found] == [1197, 300, 300]
    # Together they are all of the originals, so none is in two of them.
    assert sorted(d.tobytes() for each in found for d in each) == sorted(
        d.tobytes() for d in loaded
    )


def test_same_seed_same_images():
    first = placed_digits.load("train", "both", **FEW)
    again = placed_digits.load("train", "both", **FEW)
    other = placed_digits.load("train", "both", seed=1, **FEW)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[0], other[0])
    images, labels = first
    assert [int(x) for x in labels[:5]] == FROZEN_LABELS
    assert int((images * 255).sum(dtype="float64").round()) == FROZEN_SUM


@pytest.mark.parametrize(
    "label, classes", [("digit", 10), ("position", 9), ("both", 90)]
)
def test_load(label, classes):
    sizes = {"canvas_size": 14, "position_cells": 3, **FEW}
    images, labels = placed_digits.load("validation", label, **sizes)
    assert images.shape == (20, 14, 14, 1)
    assert images.dtype == np.float32
    assert 0 <= images.min() and 0.9 < images.max() <= 1
    assert labels.shape == (20,)
    assert labels.dtype == np.int64
    assert PlacingSettings(**sizes).classes(label) == classes
    assert 0 <= labels.min() and labels.max() < classes


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"label": "digits"}, "Unknown label 'digits'. Did you mean digit?"),
        ({"split": "eval"}, "Unknown split 'eval'."),
        (
            {"canvas_size": 7},
            "Invalid value for argument `canvas_size`. Expected an integer of "
            "at least 8. Received: canvas_size=7",
        ),
        (
            {"distractor_size": 9},
            "Invalid value for argument `distractor_size`. Expected at most 8, "
            "the size of a digit. Received: distractor_size=9",
        ),
        (
            {"canvas_size": 9, "position_cells": 3},
            "Invalid value for argument `position_cells`. Expected at most 2, "
            "the places that a digit can take along an axis of a canvas of 9. "
            "Received: position_cells=3",
        ),
        ({"distractors": -1}, "argument `distractors`. Expected an integer"),
        ({"train_records": 0}, "argument `train_records`. Expected an integer"),
        ({"seed": 0.5}, "argument `seed`. Expected an integer"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        placed_digits.load(**arguments)


def small_config(label="digit"):
    return builders.PlacedDigitsConfig(
        name="small", label=label, settings=PlacingSettings(**FEW)
    )


def test_builder(tmp_path):
    builder = tfds.builder(
        "placed_digits",
        config=small_config(),
        data_dir=tmp_path,
        file_format="array_record",
    )
    builder.download_and_prepare()
    assert {n: s.num_examples for n, s in builder.info.splits.items()} == {
        "train": 300,
        "validation": 20,
        "test": 40,
    }
    assert builder.info.description.startswith("Handwritten digits on a larger")
    assert "Alpaydin" in builder.info.citation
    source = builder.as_data_source("train")
    for label in placed_digits.LABELS:
        images, labels = placed_digits.load("train", label, **FEW)
        np.testing.assert_array_equal([r[label] for r in source], labels)
    np.testing.assert_array_equal(
        np.stack([r["image"] for r in source]),
        (images * 255).round().astype(np.uint8),
    )


def test_other_settings_under_an_old_name_are_refused(tmp_path):
    options = {"data_dir": tmp_path, "file_format": "array_record"}
    config = small_config()
    tfds.builder(
        "placed_digits", config=config, **options
    ).download_and_prepare()
    again = tfds.builder("placed_digits", config=small_config(), **options)
    assert len(again.as_data_source("test")) == 40
    config.settings = PlacingSettings(**{**FEW, "seed": 1})
    with pytest.raises(
        ValueError, match=r"'small'. Give the config another.*'seed': \(0, 1\)"
    ):
        tfds.builder("placed_digits", config=config, **options)
    config.name = "other"
    other = tfds.builder("placed_digits", config=config, **options)
    other.download_and_prepare()
    assert len(other.as_data_source("test")) == 40


def test_configs():
    assert list(builders.Builder.builder_configs) == list(placed_digits.LABELS)
    for label in placed_digits.LABELS:
        info = tfds.builder(f"placed_digits/{label}").info
        assert info.supervised_keys == ("image", label)


@pytest.mark.backends("tensorflow")
def test_pipeline(tmp_path):
    builder = tfds.builder(
        "placed_digits", config=small_config("both"), data_dir=tmp_path
    )
    builder.download_and_prepare()
    pipeline = builder.as_dataset("test", as_supervised=True).batch(40)
    image, label = next(iter(pipeline.as_numpy_iterator()))
    images, labels = placed_digits.load("test", "both", **FEW)
    np.testing.assert_array_equal(image, (images * 255).round())
    np.testing.assert_array_equal(label, labels)


WITHOUT_TENSORFLOW = """
import sys
from importlib.machinery import PathFinder

class Without:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] not in ("tensorflow", "keras"):
            return PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without

import tensorflow_datasets as tfds
from tasks.placed_digits import PlacingSettings
from tasks.placed_digits.placed_digits_dataset_builder import PlacedDigitsConfig

settings = PlacingSettings(
    train_records=20, validation_records=5, test_records=5
)
builder = tfds.builder(
    "placed_digits",
    config=PlacedDigitsConfig(name="small", settings=settings),
    data_dir=sys.argv[1],
    file_format="array_record",
)
builder.download_and_prepare()
assert builder.as_data_source("test")[4]["image"].shape == (20, 20, 1)
"""


def test_without_tensorflow(tmp_path):
    subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, str(tmp_path)],
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize(
    "name, shape", [("mnist", (28, 28, 1)), ("cifar10", (32, 32, 3))]
)
def test_images_of_other_datasets(name, shape, tmp_path):
    with tfds.testing.mock_data(num_examples=7):
        images, labels = task_images.load(name, "test", data_dir=tmp_path)
    assert images.shape == (7, *shape)
    assert images.dtype == np.float32
    assert 0 <= images.min() < 0.1 and 0.9 < images.max() <= 1
    assert labels.shape == (7,)
    assert set(labels) <= set(range(10))


def test_splits_for_a_search(tmp_path, monkeypatch):
    """Without validation images, the last training images are kept for it."""
    monkeypatch.setattr(task_images, "load", lambda name, split, *_: split)
    with tfds.testing.mock_data():
        found = [
            task_images.load_for_search("mnist", split, tmp_path)
            for split in ("train", "validation", "test")
        ]
        shape, classes = task_images.shape_and_classes("mnist", tmp_path)
    assert found == ["train[:90%]", "train[90%:]", "test"]
    assert (shape, classes) == ((28, 28, 1), 10)


def test_a_limit_of_images(tmp_path):
    with tfds.testing.mock_data(num_examples=7):
        whole = task_images.load("mnist", data_dir=tmp_path)
        some = task_images.load("mnist", data_dir=tmp_path, limit=3)
        more = task_images.load("mnist", data_dir=tmp_path, limit=8)
        count = task_images.count_for_search("mnist", "test", tmp_path)
    for all_of, few, many in zip(whole, some, more, strict=True):
        np.testing.assert_array_equal(few, all_of[:3])
        np.testing.assert_array_equal(many, all_of)
    assert count == 7
    with pytest.raises(
        ValueError, match=r"`limit`\. Expected an integer of at"
    ):
        task_images.load("mnist", data_dir=tmp_path, limit=0)


def test_datasets_without_one_image_and_class(tmp_path):
    with pytest.raises(
        ValueError,
        match="`coco/2017` should be a dataset of images of one size, each "
        r"with a class\. Received: supervised_keys=None",
    ):
        task_images.load("coco/2017", data_dir=tmp_path)
