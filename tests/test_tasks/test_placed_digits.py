import numpy as np
import pytest
import tensorflow_datasets as tfds

from tasks import placed_digits
from tasks.placed_digits import PlacingSettings
from tasks.placed_digits import placed_digits_dataset_builder as builders
from tasks.placed_digits.loading import add_classes
from tasks.placed_digits.placing import originals

# What the seed gives, for as long as the version of the data stays.
FROZEN_LABELS = [21, 152, 10, 19, 92]
FROZEN_SUM = 2846492

FEW = {"train_records": 300, "validation_records": 20, "test_records": 40}


def place(settings, split):
    (drawn,) = settings.draw(split)
    return add_classes(drawn, settings)


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
    first = placed_digits.load("both", "train", **FEW)
    again = placed_digits.load("both", "train", **FEW)
    other = placed_digits.load("both", "train", seed=1, **FEW)
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
    images, labels = placed_digits.load(label, "validation", **sizes)
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
        placed_digits.load(**{"label": "both", **arguments})


def test_configs():
    assert list(builders.Builder.builder_configs) == list(placed_digits.LABELS)
    for label in placed_digits.LABELS:
        info = tfds.builder(f"placed_digits/{label}").info
        assert info.supervised_keys == ("image", label)
