"""The absolute value with one slope on every backend."""

from keras import ops


def magnitude(x):
    """Returns |x|, with a slope of 0 at 0.

    That of `keras.ops.abs` is 1 there on JAX and 0 on the others.
    """
    return ops.multiply(x, ops.sign(x))
