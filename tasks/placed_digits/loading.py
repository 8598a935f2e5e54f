"""The placed digits as NumPy arrays."""

import numpy as np

from tasks._validation import check_known
from tasks.packed.records import open_split
from tasks.placed_digits.settings import LABELS
from tasks.placed_digits.settings import PlacingSettings


def load(label, split="train", data_dir=None, *, records=None, **settings):
    """Returns the images of a split and one of their labels.

    They are prepared on first use.

    Args:
        label: `"digit"`, `"position"` or `"both"`, the class
            `digit × positions + position`.
        split: `"train"`, `"validation"` or `"test"`.
        data_dir: Root of all data sets. Default: `$TFDS_DATA_DIR`, or
            `~/tensorflow_datasets`.
        records: Positive integer, read only that many, the first ones.
            Default: all.
        **settings: `canvas_size`, `distractors`, `distractor_size`,
            `position_cells`, `train_records`, `validation_records`,
            `test_records` and `seed`: see `PlacingSettings`.

    Returns:
        `(images, labels)`: float32 from 0 to 1 of shape `(records,
        canvas_size, canvas_size, 1)` and int64 of shape `(records,)`.

    Example:

    >>> images, labels = placed_digits.load("digit", "test")
    >>> images.shape, labels.shape
    ((2000, 20, 20, 1), (2000,))
    """
    check_known("label", label, LABELS)
    settings = PlacingSettings(**settings)
    columns = open_split(settings, split, data_dir, records)
    columns = {name: column[:] for name, column in columns.items()}
    images = np.divide(columns["image"], 255, dtype=np.float32)
    return images, add_classes(columns, settings)[label]


def add_classes(columns, settings):
    """Returns the columns of records: what is stored, and the classes of it.

    The `position` is the number of the cell in which the digit lies, and `both`
    the class `digit × positions + position`.
    """
    cells = settings.position_cells
    row, column = (columns["offset"] * cells // settings.places).T
    position = row * cells + column
    return {
        **columns,
        "position": position,
        "both": columns["digit"] * cells**2 + position,
    }
