"""The constant that predicts a label best, without looking at the inputs."""

import numpy as np

# A label is trivial if a constant is within tolerance on this share of it.
TRIVIAL_SHARE = 0.99
# Sorting is what takes the time; this many records fix a share of one element
# to about a thousandth.
MAX_RECORDS = 100_000
CHUNK = 8192


def best_constant(label, tolerance, max_records=MAX_RECORDS):
    """Returns the best constant prediction of every element of a label.

    For each column it is the centre of the labels in the window of width
    `2 * tolerance` that holds most of them, the lowest such window if there
    are several.

    Args:
        label: Array of shape `(records, width)`.
        tolerance: Positive number.
        max_records: Positive integer. Only that many are used, the first ones.

    Returns:
        A float32 array of shape `(width,)`.
    """
    label = label[:max_records]
    return np.array(
        [_best_constant(column, tolerance) for column in label.T], np.float32
    )


def _best_constant(column, tolerance):
    values, counts = np.unique(column, return_counts=True)
    values = values.astype(np.float64)
    ends = np.searchsorted(values, values + 2 * tolerance, side="right")
    below = np.concatenate([[0], np.cumsum(counts)])
    best = np.argmax(below[ends] - below[:-1])
    return (values[best] + values[ends[best] - 1]) / 2


def constant_accuracy(constant, label, tolerance):
    """Returns the share of a label's elements within tolerance of a constant.

    Args:
        constant: Array of shape `(width,)`.
        label: Array of shape `(records, width)`.
        tolerance: Positive number.
    """
    within = 0
    for start in range(0, len(label), CHUNK):
        error = np.abs(label[start : start + CHUNK] - constant)
        within += np.count_nonzero(error <= tolerance)
    return float(within / label.size)


def is_trivial(label, tolerance):
    """Whether a constant is within tolerance on 99 % of a label's elements."""
    constant = best_constant(label, tolerance)
    share = constant_accuracy(constant, label, tolerance)
    return share >= TRIVIAL_SHARE
