import numpy as np
import pytest
from keras import ops
from support.gradients import call
from support.layer_checks import random_inputs

from kmul import layers


# TensorFlow has no channels-first convolutions on a CPU.
@pytest.mark.backends("jax", "torch")
@pytest.mark.parametrize(
    "make, channels",
    [
        (lambda **kwargs: layers.GatedConv2D(4, 3, **kwargs), [3]),
        (lambda **kwargs: layers.PartialConv2D(4, 3, **kwargs), [3, 1]),
        (lambda **kwargs: layers.PolynomialBlock2D(4, **kwargs), [3]),
        (lambda **kwargs: layers.AdditiveBlock2D(2, **kwargs), [3]),
        (lambda **kwargs: layers.HybridPerceptionBlock2D(2, **kwargs), [4]),
        (lambda **kwargs: layers.StarBlock2D(2, **kwargs), [3]),
        (lambda **kwargs: layers.LargeKernelAttention2D(**kwargs), [3]),
        (
            lambda **kwargs: layers.FocalModulation2D(
                normalization=True, **kwargs
            ),
            [3],
        ),
        (lambda **kwargs: layers.GatedRecursiveConv2D(**kwargs), [4]),
        (lambda **kwargs: layers.MultiOrderGatedAggregation2D(**kwargs), [8]),
    ],
)
def test_computes_the_same_as_channels_last(make, channels):
    arrays = [random_inputs((2, 6, 5, c)) for c in channels]
    arrays[1:] = [(x > 0).astype("float32") for x in arrays[1:]]
    swapped = [x.transpose(0, 3, 1, 2) for x in arrays]
    last = make(data_format="channels_last")
    first = make(data_format="channels_first")
    single = len(channels) == 1
    expected = call(last, arrays[0] if single else arrays)
    first.build(swapped[0].shape if single else [x.shape for x in swapped])
    first.set_weights(last.get_weights())
    found = ops.convert_to_numpy(call(first, swapped[0] if single else swapped))
    np.testing.assert_allclose(
        found.transpose(0, 2, 3, 1),
        ops.convert_to_numpy(expected),
        rtol=1e-5,
        atol=1e-5,
    )
    shapes = [x.shape for x in swapped]
    shape = first.compute_output_shape(shapes[0] if single else shapes)
    assert tuple(shape) == found.shape
