"""Handwritten digits placed on a canvas among pieces of other digits."""

import functools

import numpy as np

DIGIT_SIZE = 8
# How many of the 1,797 originals each split places, and the number of its
# random stream. Which originals they are never changes.
ORIGINALS = {"train": 1197, "validation": 300, "test": 300}
STREAMS = {"train": 0, "validation": 1, "test": 2}


def place(settings, split):
    """Draws the images of a split.

    Args:
        settings: `PlacingSettings`.
        split: `"train"`, `"validation"` or `"test"`.

    Returns:
        Dictionary of arrays: `image`, uint8 of shape `(records, canvas_size,
        canvas_size, 1)`; `offset`, int64 of shape `(records, 2)`, the row and
        column of the digit's upper left corner; and `digit`, int64 of shape
        `(records,)`.
    """
    digits, targets = originals(split)
    count = settings.records[split]
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
    return {
        "image": canvas[..., None],
        "offset": offset,
        "digit": targets[chosen],
    }


@functools.cache
def originals(split):
    """The 8×8 digits of a split, uint8 from 0 to 255, and their classes."""
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
