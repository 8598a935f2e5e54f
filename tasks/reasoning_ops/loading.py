"""Records as NumPy arrays, and what may be asked for."""

import numpy as np

from tasks import baseline
from tasks._validation import check_integer
from tasks._validation import check_known
from tasks.reasoning_ops import storage
from tasks.reasoning_ops.inputs import INPUTS
from tasks.reasoning_ops.inputs import SPLITS
from tasks.reasoning_ops.inputs import InputSettings
from tasks.reasoning_ops.operations import OPERATIONS

# Every pair of a task and inputs that has a meaning, in a fixed order.
PAIRS = tuple(
    (task, inputs)
    for task, operation in OPERATIONS.items()
    for inputs in INPUTS
    if inputs in operation.inputs
)

# Records worked on at once, so that what is made on the way stays small.
CHUNK = 8192


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
    task,
    inputs,
    split="train",
    data_dir=None,
    *,
    records=None,
    width=128,
    train_records=None,
    validation_records=SPLITS["validation"].records,
    test_records=SPLITS["test"].records,
    seed=0,
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
        width: Positive integer, the width of each of the two vectors.
        train_records: Positive integer, size of the split. Default
            1,000,000, or as many as there are if that is fewer.
        validation_records: Positive integer, size of the split.
        test_records: Positive integer, size of the split.
        seed: Non-negative integer.

    Returns:
        `((a, b), label)`, float32 arrays of shape `(records, width)` and
        `(records, label_width)`.

    Example:

    >>> (a, b), label = tasks.load("logical_xor", "many_hot", "test")
    >>> a.shape, b.shape, label.shape
    ((4000, 128), (4000, 128), (4000, 128))
    """
    check_pair(task, inputs)
    a, b = load_inputs(
        inputs,
        split,
        data_dir,
        records=records,
        width=width,
        train_records=train_records,
        validation_records=validation_records,
        test_records=test_records,
        seed=seed,
    )
    operation = OPERATIONS[task]
    label = np.empty((len(a), operation.label_width(width)), np.float32)
    for start in range(0, len(a), CHUNK):
        part = slice(start, start + CHUNK)
        label[part] = operation.label(a[part], b[part])
    return (a, b), label


def load_inputs(
    inputs,
    split="train",
    data_dir=None,
    *,
    records=None,
    width=128,
    train_records=None,
    validation_records=SPLITS["validation"].records,
    test_records=SPLITS["test"].records,
    seed=0,
):
    """Returns the inputs of a split, without a label: see `load`.

    Continuous inputs are mapped into memory, not read: they take memory as
    they are used. Writing to the arrays does not change the files.

    Returns:
        `(a, b)`, float32 arrays of shape `(records, width)`.
    """
    settings = InputSettings(
        inputs, width, train_records, validation_records, test_records, seed
    )
    check_known("split", split, SPLITS)
    if records is not None:
        existing = settings.records[split]
        if check_integer("records", records, 1) > existing:
            raise ValueError(
                f"The {split} split of {inputs} has {existing:,} records. "
                f"Received: records={records}"
            )
    packed = storage.open_packed(settings, split, data_dir, records)
    return tuple(unpack(settings, each) for each in packed)


def unpack(settings, packed):
    """Returns the float32 vectors of packed ones."""
    unpack_chunk = settings.distribution.unpack
    if unpack_chunk is None:
        return packed
    vectors = np.empty((len(packed), settings.width), np.float32)
    for start in range(0, len(packed), CHUNK):
        part = slice(start, start + CHUNK)
        vectors[part] = unpack_chunk(packed[part], settings.width)
    return vectors


def is_trivial(
    task,
    inputs,
    data_dir=None,
    tolerance=baseline.DEFAULT_TOLERANCE,
    **settings,
):
    """Whether a constant predictor is practically always right.

    That is measured: the best constant is within tolerance on 99 % or more of
    the elements of the first 100,000 training records.

    Args:
        task: Name of an operation.
        inputs: Name of an input distribution.
        data_dir: Root of all data sets.
        tolerance: Positive number.
        **settings: `width`, `train_records`, `validation_records`,
            `test_records` and `seed`, as for `load`.
    """
    check_pair(task, inputs)
    existing = InputSettings(inputs, **settings).records["train"]
    records = min(baseline.MAX_RECORDS, existing)
    _, label = load(
        task, inputs, "train", data_dir, records=records, **settings
    )
    return baseline.is_trivial(label, tolerance)
