"""Arithmetic on sums as NumPy arrays, and what counts as having learned it."""

import itertools
import math
import numbers

import numpy as np

from tasks._validation import check_known
from tasks.arithmetic_ops.operations import OPERATIONS
from tasks.arithmetic_ops.settings import SPLITS
from tasks.arithmetic_ops.settings import ArithmeticSettings
from tasks.packed.records import open_split


def load(operation, split="train", data_dir=None, *, records=None, **settings):
    """Returns the records of a split, prepared on first use.

    Args:
        operation: Name of an operation, a key of `OPERATIONS`.
        split: `"train"`, `"validation"`, `"interpolation"` or
            `"extrapolation"`.
        data_dir: Root of all data sets. Default: `$TFDS_DATA_DIR`, or
            `~/tensorflow_datasets`.
        records: Positive integer, read only that many, the first ones.
            Default: all.
        **settings: `size`, `subset_ratio`, `overlap_ratio`, `training_range`,
            `extrapolation_range`, `train_records`, `validation_records`,
            `interpolation_records`, `extrapolation_records` and `seed`: see
            `ArithmeticSettings`.

    Returns:
        `(x, label)`, float32 arrays of shape `(records, size)` and
        `(records, 1)`. The vectors are mapped into memory, not read. Writing
        to them does not change the files.

    Example:

    >>> x, label = arithmetic_ops.load("div", "extrapolation")
    >>> x.shape, label.shape
    ((10000, 100), (10000, 1))
    """
    settings = ArithmeticSettings(**settings)
    check_operation(operation, settings)
    columns = open_split(settings, split, data_dir, records)
    columns = {name: column[:] for name, column in columns.items()}
    return tuple(add_label(columns, operation, settings).values())


def add_label(columns, operation, settings):
    """Returns the columns of records: their vectors `x`, and the label."""
    label = OPERATIONS[operation].label(*settings.sums(columns["x"]))
    return {**columns, "label": label.astype(np.float32)}


def success_threshold(
    operation, split="extrapolation", epsilon=1e-5, **settings
):
    """Returns the error below which an operation counts as learned.

    That is the mean squared error of a solution all of whose weights are off:

    ```
    a' = Σ_i (A_i ± ε) x_i    b' = Σ_i (B_i ± ε) x_i    y' = operation(a', b')
    ```

    where `A` and `B` are 1 on the subset and 0 elsewhere. The weights of a sum
    are off in the same direction, so that, elements being positive, their
    errors add up; of the directions of the two sums, those with the greatest
    error are taken. All is computed in float64. To round the labels to
    float32, as `load` does, makes an error of less than 1/10,000 of it at the
    default settings.

    Args:
        operation: Name of an operation, a key of `OPERATIONS`.
        split: `"train"`, `"validation"`, `"interpolation"` or
            `"extrapolation"`.
        epsilon: Positive number, by how much each weight is off.
        **settings: As for `load`.

    Returns:
        A float.

    Example:

    ```python
    x, label = arithmetic_ops.load("mul", "extrapolation")
    error = model.evaluate(x, label)  # of a model compiled with "mse"
    solved = error < arithmetic_ops.success_threshold("mul")
    ```

    Reference:
        - [Neural Arithmetic Units (Madsen & Johansen, 2020)](
          https://arxiv.org/abs/2001.05016)
    """
    if (
        isinstance(epsilon, bool)
        or not isinstance(epsilon, numbers.Real)
        or not 0 < epsilon < math.inf
    ):
        raise ValueError(
            "Invalid value for argument `epsilon`. Expected a positive number. "
            f"Received: epsilon={epsilon!r}"
        )
    settings = ArithmeticSettings(**settings)
    check_operation(operation, settings)
    check_known("split", split, SPLITS)
    label = OPERATIONS[operation].label
    x = settings.sample(split)
    a, b = settings.sums(x)
    off = epsilon * x.sum(axis=1, keepdims=True, dtype=np.float64)
    exact = label(a, b)
    if OPERATIONS[operation].positive and (off >= np.minimum(a, b)).any():
        raise ValueError(
            "Invalid value for argument `epsilon`. Expected less, so that the "
            f"sums stay positive. Received: epsilon={epsilon!r}"
        )
    return max(
        float(np.mean((label(a + i * off, b + j * off) - exact) ** 2))
        for i, j in itertools.product((1, -1), repeat=2)
    )


def check_operation(operation, settings):
    """Raises a `ValueError` unless the operation can be computed."""
    check_known("operation", operation, OPERATIONS)
    if not OPERATIONS[operation].positive:
        return
    for name in ("training_range", "extrapolation_range"):
        low, high = getattr(settings, name)
        if low <= 0:
            raise ValueError(
                f"Invalid value for argument `{name}`. Expected positive "
                f"numbers, which {operation} needs. "
                f"Received: {name}={(low, high)}"
            )
