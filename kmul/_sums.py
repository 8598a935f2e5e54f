"""Sums of tensors that are right at every size on every backend."""

from keras import ops


def add(x1, x2):
    """Returns `x1 + x2`, broadcast as NumPy does.

    On TensorFlow `keras.ops.add(x1, x2)`, and with it `+` of symbolic tensors
    and of variables, takes `x2` for a bias if all its axes but one have size 0
    or 1 and that one is as large as the second or the last axis of `x1`
    (`keras.src.backend.tensorflow.numpy.add` of Keras 3.15.1): a (batch, 1)
    summand is added along the features when there are as many as samples, and
    an empty one is refused. `keras.ops.subtract` has no such case.

    Args:
        x1: Tensor.
        x2: Tensor, which may be symbolic. It is negated first unless two of
            its axes are known to be larger than 1.
    """
    known = [size for size in x2.shape if size is not None and size > 1]
    if len(known) > 1:
        return ops.add(x1, x2)
    return ops.subtract(x1, ops.negative(x2))


def add_bias(outputs, bias):
    """Returns `outputs + bias`, or `outputs` if there is no bias.

    Args:
        outputs: Tensor of shape (batch, ..., units).
        bias: Tensor of shape (units,), or None.
    """
    return outputs if bias is None else ops.add(outputs, bias)


def add_to_channels(images, bias):
    """Returns images plus a number for each channel, which come last.

    In this order: TensorFlow's optimizer fails, with a message, on a depthwise
    convolution, a `BiasAdd` and a sum.

    Args:
        images: Tensor of shape (batch, height, width, channels).
        bias: Tensor of shape (channels,).
    """
    return ops.add(bias, images)
