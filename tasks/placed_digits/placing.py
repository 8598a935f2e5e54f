"""Handwritten digits placed on a canvas among pieces of other digits."""

import dataclasses
import functools

import numpy as np

from tasks._validation import check_integer
from tasks._validation import check_known

DIGIT_SIZE = 8
LABELS = ("digit", "position", "both")

# How many of the 1,797 originals each split places, and the number of its
# random stream. Which originals they are never changes.
ORIGINALS = {"train": 1197, "validation": 300, "test": 300}
STREAMS = {"train": 0, "validation": 1, "test": 2}


@dataclasses.dataclass(frozen=True)
class PlacingSettings:
    """Sizes of the data.

    Args:
        canvas_size: Integer ≥ 8, height and width of the images.
        distractors: Integer ≥ 0, the number of pieces on each image.
        distractor_size: Integer from 1 to 8, height and width of a piece.
        position_cells: Positive integer. The places where the digit can be are
            divided into that many rows and columns of cells, and the position
            is the number of the cell.
        train_records: Positive integer.
        validation_records: Positive integer.
        test_records: Positive integer.
        seed: Non-negative integer.
    """

    canvas_size: int = 20
    distractors: int = 3
    distractor_size: int = 4
    position_cells: int = 4
    train_records: int = 20_000
    validation_records: int = 2_000
    test_records: int = 2_000
    seed: int = 0

    def __post_init__(self):
        check_integer("canvas_size", self.canvas_size, DIGIT_SIZE)
        check_integer("distractors", self.distractors, 0)
        check_integer("distractor_size", self.distractor_size, 1)
        check_integer("position_cells", self.position_cells, 1)
        for split in ORIGINALS:
            check_integer(f"{split}_records", self.records(split), 1)
        check_integer("seed", self.seed, 0)
        if self.distractor_size > DIGIT_SIZE:
            raise ValueError(
                "Invalid value for argument `distractor_size`. Expected at "
                f"most {DIGIT_SIZE}, the size of a digit. Received: "
                f"distractor_size={self.distractor_size}"
            )
        if self.position_cells > self.places:
            raise ValueError(
                "Invalid value for argument `position_cells`. Expected at "
                f"most {self.places}, the places that a digit can take along "
                f"an axis of a canvas of {self.canvas_size}. Received: "
                f"position_cells={self.position_cells}"
            )

    @property
    def places(self):
        """How many places along one axis a digit can take."""
        return self.canvas_size - DIGIT_SIZE + 1

    def records(self, split):
        return getattr(self, f"{split}_records")

    def classes(self, label):
        """The number of classes of a label."""
        positions = self.position_cells**2
        counts = {"digit": 10, "position": positions, "both": 10 * positions}
        return counts[check_known("label", label, LABELS)]


def place(settings, split):
    """Returns the records of a split.

    Args:
        settings: `PlacingSettings`.
        split: `"train"`, `"validation"` or `"test"`.

    Returns:
        Dictionary of arrays: `image`, uint8 of shape `(records, canvas_size,
        canvas_size, 1)`; `offset`, int64 of shape `(records, 2)`, the row and
        column of the digit's upper left corner; and int64 of shape
        `(records,)` the `digit`, the `position` and `both`, the class
        `digit × positions + position`.
    """
    check_known("split", split, ORIGINALS)
    digits, targets = originals(split)
    count, cells = settings.records(split), settings.position_cells
    rng = np.random.default_rng([settings.seed, STREAMS[split]])
    canvas = np.zeros(
        (count, settings.canvas_size, settings.canvas_size), np.uint8
    )
    for _ in range(settings.distractors):
        pieces = digits[rng.integers(len(digits), size=count)]
        size = settings.distractor_size
        corners = rng.integers(DIGIT_SIZE - size + 1, size=(count, 2))
        pieces = pieces[_window(corners, size)]
        corners = rng.integers(settings.canvas_size - size + 1, size=(count, 2))
        _draw(canvas, pieces, corners)
    chosen = rng.integers(len(digits), size=count)
    offset = rng.integers(settings.places, size=(count, 2))
    _draw(canvas, digits[chosen], offset)
    row, column = (offset * cells // settings.places).T
    position = row * cells + column
    digit = targets[chosen]
    return {
        "image": canvas[..., None],
        "offset": offset,
        "digit": digit,
        "position": position,
        "both": digit * cells**2 + position,
    }


@functools.cache
def originals(split):
    """The 8×8 digits of a split, uint8 from 0 to 255, and what they show."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    order = np.random.default_rng(0).permutation(len(loaded.images))
    starts = np.cumsum([0, *ORIGINALS.values()])
    start = starts[list(ORIGINALS).index(split)]
    mine = order[start : start + ORIGINALS[split]]
    images = (loaded.images[mine] * (255 / 16)).astype(np.uint8)
    return images, loaded.target[mine].astype(np.int64)


def _draw(canvas, pieces, corners):
    """Draws one piece on each canvas, the brighter pixel winning."""
    window = _window(corners, pieces.shape[-1])
    canvas[window] = np.maximum(canvas[window], pieces)


def _window(corners, size):
    """Indices of a square of each image: (image, row, column)."""
    images = np.arange(len(corners))[:, None, None]
    span = np.arange(size)
    rows = corners[:, 0, None, None] + span[:, None]
    columns = corners[:, 1, None, None] + span
    return images, rows, columns
