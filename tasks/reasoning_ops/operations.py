"""The 12 reasoning operations on two vectors."""

import dataclasses
from collections.abc import Callable

import numpy as np

DISCRETE = ("one_hot", "many_hot")
ANY = (*DISCRETE, "random", "random_pos")
ALMOST = np.float32(0.001)


@dataclasses.dataclass(frozen=True)
class Operation:
    """A function of two vectors, and the inputs it makes sense on.

    Attributes:
        name: The operation's name.
        function: Callable from two arrays of shape `(..., n)` to an array of
            shape `(..., label_width(n))`. Use `label`, which fixes the dtype.
        label_width: Callable from the width `n` of the inputs to that of the
            label.
        inputs: Names of the input distributions the operation makes sense on.
        reason: Why it makes no sense on the others.

    Example:

    >>> OPERATIONS["dot"].label(np.ones((5, 128)), np.ones((5, 128))).shape
    (5, 1)
    """

    name: str
    function: Callable
    label_width: Callable[[int], int]
    inputs: tuple[str, ...] = ANY
    reason: str = ""

    def label(self, a, b):
        """Returns the float32 label of `a` and `b` of shape `(..., n)`."""
        return self.function(a, b).astype(np.float32, copy=False)


def _same(width):
    return width


def _double(width):
    return 2 * width


def _one(width):
    return 1


def _concat(a, b):
    return np.concatenate([a, b], axis=-1)


def _dot(a, b):
    # Summed in float64, so that the rounded label is the same on every machine.
    return np.einsum("...i,...i->...", a, b, dtype=np.float64)[..., None]


def _reduce_sum(a, b):
    def total(x):
        return x.sum(axis=-1, keepdims=True, dtype=np.float64)

    return total(a) + total(b)


def _reduce_max(a, b):
    return np.maximum(
        a.max(axis=-1, keepdims=True), b.max(axis=-1, keepdims=True)
    )


def _almost_equal(a, b):
    return np.abs(a - b) <= ALMOST


def _one_hot_sum(a, b):
    position = a.argmax(axis=-1) + b.argmax(axis=-1)
    return np.arange(a.shape[-1]) == position[..., None]


def _logical_and(a, b):
    return (a != 0) & (b != 0)


def _logical_or(a, b):
    return (a != 0) | (b != 0)


def _logical_xor(a, b):
    return (a != 0) ^ (b != 0)


_NEVER_EQUAL = (
    "two continuous values are practically never equal, so the label is "
    "constant"
)
_NEVER_ZERO = (
    "a continuous value is practically never zero, so the label is constant"
)
_NO_INTEGER = "only a one-hot vector stands for an integer"

OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("concat", _concat, _double),
        Operation("elementwise_mul", np.multiply, _same),
        Operation("elementwise_add", np.add, _same),
        Operation("dot", _dot, _one),
        Operation("reduce_sum", _reduce_sum, _one),
        Operation("reduce_max", _reduce_max, _one),
        Operation("equality", np.equal, _same, DISCRETE, _NEVER_EQUAL),
        Operation("almost_equal", _almost_equal, _same, DISCRETE, _NEVER_EQUAL),
        Operation(
            "one_hot_sum", _one_hot_sum, _same, ("one_hot",), _NO_INTEGER
        ),
        Operation("logical_and", _logical_and, _same, DISCRETE, _NEVER_ZERO),
        Operation("logical_or", _logical_or, _same, DISCRETE, _NEVER_ZERO),
        Operation("logical_xor", _logical_xor, _same, DISCRETE, _NEVER_ZERO),
    )
}
