"""A layer computes each sample alone, however large the batch is.

Some operations of a backend guess the meaning of an axis from its size. Here
every axis of the inputs has the size of the layers' units, and the batch is as
large, or one sample, or empty, and is compared with a batch whose size nothing
else has.
"""

import numpy as np
import pytest
from keras import ops
from support.layer_checks import random_inputs

from .examples import EXAMPLES

SIZE = 3
OTHER_SIZE = 7
# Its inputs become vectors of one length.
SHAPES = {"LayerAttention, recurrent": [(2, SIZE), (2, SIZE)]}
# On TensorFlow the convolution of an empty batch has another shape, and Keras's
# LSTM fails on one; torch has no Fourier transform of one.
NEVER_EMPTY = (
    "PolynomialBlock2D",
    "PartialConv2D",
    "GatedConv2D",
    "LayerAttention, recurrent",
    "MCBFusion",
)


def with_batch(shapes, batch):
    if isinstance(shapes, list):
        return [with_batch(shape, batch) for shape in shapes]
    return (batch, *(SIZE for _ in shapes[1:]))


def outputs(layer, inputs, batch):
    if isinstance(inputs, list):
        return ops.convert_to_numpy(layer([x[:batch] for x in inputs]))
    return ops.convert_to_numpy(layer(inputs[:batch]))


# JAX compiles each size anew, which takes minutes, and guesses nothing.
@pytest.mark.backends("tensorflow", "torch")
@pytest.mark.parametrize(
    "name",
    # These have a variance of their whole batch.
    [name for name in EXAMPLES if not name.endswith(", normalized")],
)
def test_batches_of_coinciding_sizes(name):
    make, shapes = EXAMPLES[name]
    layer = make()
    shapes = with_batch(SHAPES.get(name, shapes), OTHER_SIZE)
    inputs = random_inputs(shapes)
    expected = outputs(layer, inputs, OTHER_SIZE)
    batches = (SIZE, 1) if name.startswith(NEVER_EMPTY) else (SIZE, 1, 0)
    for batch in batches:
        found = outputs(layer, inputs, batch)
        assert found.shape == (batch, *expected.shape[1:])
        np.testing.assert_allclose(
            found, expected[:batch], rtol=1e-5, atol=1e-5
        )
