"""The named letters as NumPy arrays."""

import numpy as np

from tasks.named_letters.settings import LetterSettings
from tasks.packed.records import open_split


def load(split="train", data_dir=None, *, records=None, **settings):
    """Returns the pictures and names of a split, and whether they match.

    They are prepared on first use.

    Args:
        split: `"train"`, `"validation"` or `"test"`.
        data_dir: Root of all data sets. Default: `$TFDS_DATA_DIR`, or
            `~/tensorflow_datasets`.
        records: Positive integer, read only that many, the first ones.
            Default: all.
        **settings: `train_records`, `validation_records`, `test_records` and
            `seed`: see `LetterSettings`.

    Returns:
        `((images, words), labels)`: float32 from 0 to 1 of shape `(records, 24,
        24, 1)`; int64 of shape `(records, 10)`, indices into `vocabulary()`
        with zeros at the end; and int64 of shape `(records,)`, 1 where the name
        is the letter's and 0 where it is not.

    Example:

    >>> (images, words), labels = named_letters.load("test")
    >>> images.shape, words.shape, labels.mean()
    ((8000, 24, 24, 1), (8000, 10), 0.5)
    """
    columns = open_split(LetterSettings(**settings), split, data_dir, records)
    images = np.divide(columns["image"][:], 255, dtype=np.float32)
    return (images, columns["words"][:]), columns["label"][:]
