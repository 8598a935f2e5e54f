"""The placed digits as NumPy arrays."""

import numpy as np

from tasks._validation import check_known
from tasks.placed_digits.placing import LABELS
from tasks.placed_digits.placing import PlacingSettings
from tasks.placed_digits.placing import place


def load(split="train", label="both", **settings):
    """Returns the images of a split and one of their labels.

    They are made on the spot, in a fraction of a second, and are those that
    the TensorFlow dataset `placed_digits` holds.

    Args:
        split: `"train"`, `"validation"` or `"test"`.
        label: `"digit"`, `"position"` or `"both"`, the class
            `digit × positions + position`.
        **settings: `canvas_size`, `distractors`, `distractor_size`,
            `position_cells`, `train_records`, `validation_records`,
            `test_records` and `seed`: see `PlacingSettings`.

    Returns:
        `(images, labels)`: float32 from 0 to 1 of shape `(records,
        canvas_size, canvas_size, 1)` and int64 of shape `(records,)`.

    Example:

    >>> images, labels = placed_digits.load("test", label="digit")
    >>> images.shape, labels.shape
    ((2000, 20, 20, 1), (2000,))
    """
    check_known("label", label, LABELS)
    records = place(PlacingSettings(**settings), split)
    return records["image"].astype(np.float32) / 255, records[label]
