"""Records of all operations, with which of them is asked for."""

import dataclasses
import functools

import numpy as np

from tasks import reasoning_ops

OPERATIONS = tuple(reasoning_ops.OPERATIONS)
# Their label is practically the same for all records.
CONSTANT = (
    ("reduce_sum", "one_hot"),
    ("reduce_max", "one_hot"),
    ("reduce_max", "many_hot"),
)
# The operation is learned on its other inputs, which other operations have.
HELD_OUT = (
    ("concat", "random"),
    ("elementwise_mul", "many_hot"),
    ("elementwise_add", "random_pos"),
    ("dot", "one_hot"),
    ("reduce_sum", "random"),
    ("reduce_max", "random_pos"),
    ("equality", "one_hot"),
    ("almost_equal", "many_hot"),
    ("logical_and", "one_hot"),
    ("logical_or", "many_hot"),
    ("logical_xor", "one_hot"),
)
TRAINED = tuple(
    pair
    for pair in reasoning_ops.PAIRS
    if pair not in CONSTANT and pair not in HELD_OUT
)


@dataclasses.dataclass(frozen=True)
class Records:
    """Records of one operation on one kind of inputs.

    Attributes:
        x: List of the vectors, side by side, and the operation's index.
        label: The label, made to a mean of 0 and a variance of 1 over what is
            trained on, with zeros behind it up to the width of the widest.
        weight: What the squared error of each element counts: its mean over
            records is the share of the label's variance that is not explained.
    """

    x: list[np.ndarray]
    label: np.ndarray
    weight: np.ndarray

    @property
    def y(self):
        """Label and weight in one array, as the loss takes them."""
        return np.concatenate([self.label, self.weight], axis=-1)


@functools.cache
def load(pair, split, settings):
    """Returns the `Records` of an operation and inputs."""
    task = pair[0]
    (a, b), label = _load(pair, split, settings)
    mean, scale = _scaling(task, settings)
    label = (label - mean) / scale
    variance = np.var(_load(pair, "train", settings)[1] / scale, axis=0).sum()
    width = 2 * settings.width
    weight = np.full(label.shape, 1 / variance, np.float32)
    pad = ((0, 0), (0, width - label.shape[1]))
    index = np.full(len(a), OPERATIONS.index(task), np.int32)
    return Records(
        [np.concatenate([a, b], axis=-1), index],
        np.pad(label.astype(np.float32), pad),
        np.pad(weight, pad),
    )


def together(pairs, split, settings):
    """Returns `x` and `y` of the records of several pairs."""
    parts = [load(pair, split, settings) for pair in pairs]
    x = [np.concatenate([part.x[i] for part in parts]) for i in range(2)]
    return x, np.concatenate([part.y for part in parts])


def _load(pair, split, settings):
    train, held_out = settings.train_records, settings.records
    if pair[1] == "one_hot":
        held_out = settings.width**2 // 4
        train = 2 * held_out
    (a, b), label = reasoning_ops.load(
        *pair,
        split,
        width=settings.width,
        train_records=train,
        validation_records=held_out,
        test_records=held_out,
    )
    if split == "train":
        # Where there are few, they come again and again.
        order = np.arange(settings.train_records) % train
        a, b, label = a[order], b[order], label[order]
    return (a, b), label


@functools.cache
def _scaling(task, settings):
    """The mean and the standard deviation of an operation's labels."""
    label = np.concatenate(
        [
            _load(pair, "train", settings)[1].ravel()
            for pair in TRAINED
            if pair[0] == task
        ]
    )
    return label.mean(), label.std()
