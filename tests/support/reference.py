"""Comparing a layer with its formula written out in NumPy."""

import keras
import numpy as np
from keras import ops

from support.gradients import call
from support.layer_checks import random_inputs


def prepare(layer, shapes, seed=0):
    """Builds a layer and gives every trainable weight random values.

    Returns:
        The weights by name and the inputs, both in double precision.
    """
    # The first values are overwritten; zeros are the fastest to make.
    layer.kernel_initializer = keras.initializers.Zeros()
    layer.build(shapes)
    rng = np.random.default_rng([seed, 1])
    for variable in layer.trainable_variables:
        value = rng.normal(scale=0.5, size=variable.shape)
        variable.assign(value.astype("float32"))
    return named_weights(layer), to_double(random_inputs(shapes, seed))


def named_weights(layer):
    """Returns a layer's weights as NumPy arrays by the names they have."""
    return {
        variable.path.split("/")[-1]: to_double(
            ops.convert_to_numpy(ops.cast(variable.value, "float32"))
        )
        for variable in layer.weights
    }


def to_double(arrays):
    if isinstance(arrays, list):
        return [np.asarray(each, "float64") for each in arrays]
    return np.asarray(arrays, "float64")


def to_single(arrays):
    if isinstance(arrays, (list, tuple)):
        return [np.asarray(each, "float32") for each in arrays]
    return np.asarray(arrays, "float32")


def assert_computes(layer, inputs, expected, **kwargs):
    """Asserts that a layer's outputs are `expected`, to 1e-5 of the largest."""
    inputs = to_single(inputs)
    outputs = layer(inputs, **kwargs) if kwargs else call(layer, inputs)
    outputs = ops.convert_to_numpy(outputs)
    assert outputs.shape == np.shape(expected)
    np.testing.assert_allclose(
        outputs, expected, rtol=1e-5, atol=1e-5 * np.nanmax(np.abs(expected))
    )


def sigmoid(x):
    return 1 / (1 + np.exp(-x))
