import itertools

import keras
import numpy as np
import pytest
from keras import ops

from kmul._sums import add


def arrays(*shapes):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype("float32") for shape in shapes]


# All pairs of shapes of sizes 1 and 3 that broadcast.
SHAPES = list(itertools.product((1, 3), repeat=3))


# JAX adds plainly, and would compile each pair.
@pytest.mark.backends("tensorflow", "torch")
@pytest.mark.parametrize("first", SHAPES)
def test_every_pair_of_coinciding_sizes(first):
    for second in [*SHAPES, (3, 1), (1, 3), (3,), (1,), ()]:
        x1, x2 = arrays(first, second)
        for found, expected in (
            (add(*map(ops.convert_to_tensor, (x1, x2))), x1 + x2),
            (add(*map(ops.convert_to_tensor, (x2, x1))), x2 + x1),
        ):
            np.testing.assert_array_equal(
                ops.convert_to_numpy(found), expected, f"{first} + {second}"
            )


@pytest.mark.parametrize(
    "first, second",
    [((0, 5), (0, 5)), ((0, 5), (0, 1)), ((0, 3, 5), (0, 1, 5))],
)
def test_empty_batches(first, second):
    found = add(*map(ops.convert_to_tensor, arrays(first, second)))
    assert tuple(found.shape) == first


@pytest.mark.parametrize("sizes", [(4, 1), (1, 4), (4, 4)])
def test_symbolic_tensors(sizes):
    """The batch is as large as a sample only when the model is called."""
    inputs = [keras.Input((size,)) for size in sizes]
    model = keras.Model(inputs, add(*inputs))
    x = arrays(*((4, size) for size in sizes))
    np.testing.assert_array_equal(ops.convert_to_numpy(model(x)), x[0] + x[1])


def test_variables():
    variable = keras.Variable(np.ones((3, 3), "float32"))
    (x,) = arrays((3, 1))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(add(variable, ops.convert_to_tensor(x))),
        1 + x + np.zeros((3, 3), "float32"),
    )
