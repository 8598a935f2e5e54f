"""Checks and conversions that every layer makes of its inputs."""

import keras
from keras import ops


def receive(layer, inputs, dtype=None):
    """Returns the inputs of a `call` in the layer's dtype, if they fit.

    Keras lets `build` look at the first inputs alone, and `input_spec` at one
    input at a time. This looks at all of them, as `compute_output_shape` does:
    their number, their ranks, and the sizes that they should share. Shapes are
    known while a call is traced, so a compiled step doesn't pay for it. Keras
    itself converts floating-point inputs only, not integers and booleans.

    Args:
        layer: A layer whose `compute_output_shape` refuses what doesn't fit.
        inputs: Tensor, or list or tuple of tensors.
        dtype: String, another dtype than the layer's compute dtype.

    Returns:
        A tensor, or a list of tensors.
    """
    dtype = dtype or layer.compute_dtype
    if isinstance(inputs, (tuple, list)):
        layer.compute_output_shape([tuple(x.shape) for x in inputs])
        return [ops.cast(x, dtype) for x in inputs]
    layer.compute_output_shape(tuple(inputs.shape))
    return ops.cast(inputs, dtype)


def fixed_width(shape, axis=-1):
    """Returns an `InputSpec` of any tensor as wide as one of this shape."""
    return keras.layers.InputSpec(min_ndim=2, axes={axis: shape[axis]})


def fixed_channels(shape, axis):
    """Returns an `InputSpec` of images with as many channels as these."""
    return keras.layers.InputSpec(ndim=4, axes={axis: shape[axis]})
