"""Records as NumPy arrays, and which there are."""

import numpy as np

from tasks import baseline
from tasks._validation import check_known
from tasks.packed.records import by_chunks
from tasks.packed.records import open_split
from tasks.reasoning_ops.inputs import INPUTS
from tasks.reasoning_ops.operations import OPERATIONS
from tasks.reasoning_ops.settings import InputSettings

# The valid combinations of a task and inputs, in a fixed order.
PAIRS = tuple(
    (task, inputs)
    for task, operation in OPERATIONS.items()
    for inputs in INPUTS
    if inputs in operation.inputs
)


def check_pair(task, inputs):
    """Raises a `ValueError` unless the task makes sense on the inputs.

    Args:
        task: Name of an operation.
        inputs: Name of an input distribution.
    """
    check_known("task", task, OPERATIONS)
    check_known("inputs", inputs, INPUTS)
    operation = OPERATIONS[task]
    if inputs not in operation.inputs:
        raise ValueError(
            f"{task} makes no sense on {inputs}: {operation.reason}. It can be "
            f"learned on {', '.join(operation.inputs)}."
        )


def load(
    task, inputs, split="train", data_dir=None, *, records=None, **settings
):
    """Returns the records of a split, prepared on first use.

    Args:
        task: Name of an operation, a key of `tasks.OPERATIONS`.
        inputs: Name of an input distribution, a key of `tasks.INPUTS`.
        split: `"train"`, `"validation"` or `"test"`.
        data_dir: Root of all data sets. Default: `$TFDS_DATA_DIR`, or
            `~/tensorflow_datasets`.
        records: Positive integer, read only that many, the first ones.
            Default: all.
        **settings: `width`, the width of each of the two vectors (128);
            `train_records`, `validation_records`, `test_records` and `seed`:
            see `tasks.InputSettings`.

    Returns:
        `((a, b), label)`, float32 arrays of shape `(records, width)` and
        `(records, label_width)`.

    Example:

    >>> (a, b), label = tasks.load("logical_xor", "many_hot", "test")
    >>> a.shape, b.shape, label.shape
    ((4000, 128), (4000, 128), (4000, 128))
    """
    check_pair(task, inputs)
    a, b = load_inputs(inputs, split, data_dir, records=records, **settings)
    operation = OPERATIONS[task]
    shape = (len(a), operation.label_width(a.shape[1]))
    return (a, b), by_chunks(operation.label, shape, np.float32, a, b)


def load_inputs(
    inputs, split="train", data_dir=None, *, records=None, **settings
):
    """Returns the inputs of a split, without a label: see `load`.

    Continuous inputs are mapped into memory, not read: they take memory as
    they are used. Writing to the arrays does not change the files.

    Returns:
        `(a, b)`, float32 arrays of shape `(records, width)`.
    """
    columns = open_inputs(inputs, split, data_dir, records=records, **settings)
    return tuple(column[:] for column in columns)


def open_inputs(
    inputs, split="train", data_dir=None, *, records=None, **settings
):
    """Returns the inputs of a split, to be read in parts: see `load`.

    Returns:
        `(a, b)`, `tasks.packed.records.Column`s. A slice of one, or the rows
        at an array of indices, is a float32 array.
    """
    columns = open_split(
        InputSettings(inputs, **settings), split, data_dir, records
    )
    return columns["a"], columns["b"]


def add_label(columns, task):
    """Returns the columns of records: their inputs, and the label."""
    label = OPERATIONS[task].label(columns["a"], columns["b"])
    return {**columns, "label": label}


def is_trivial(task, inputs, data_dir=None, *, tolerance, **settings):
    """Whether a constant predictor is practically always right.

    That is measured: the best constant is within tolerance on 99 % or more of
    the elements of the first 100,000 training records.

    Args:
        task: Name of an operation.
        inputs: Name of an input distribution.
        data_dir: Root of all data sets.
        tolerance: Positive number, the largest absolute error that counts as
            right: that of the metric `kmul.metrics.WithinTolerance`.
        **settings: As for `load`.
    """
    check_pair(task, inputs)
    existing = InputSettings(inputs, **settings).records["train"]
    records = min(baseline.MAX_RECORDS, existing)
    _, label = load(
        task, inputs, "train", data_dir, records=records, **settings
    )
    return baseline.is_trivial(label, tolerance)
