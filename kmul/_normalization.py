"""Normalizations of products whose gradients are finite at zero."""

from keras import ops


def signed_sqrt(inputs):
    """Returns sign(x) √|x|, with a gradient of 0 where x is 0.

    The root is never taken of 0, so that its infinite slope there meets no
    zero, on any backend.
    """
    magnitude = ops.abs(inputs)
    safe = ops.where(ops.equal(magnitude, 0), 1, magnitude)
    return ops.multiply(ops.sign(inputs), ops.sqrt(safe))


def l2_normalize(inputs, dtype):
    """Returns x / max(‖x‖, 1e-12) over the last axis.

    Half precision is left for the sum of squares, for which its range is too
    small.

    Args:
        inputs: Tensor.
        dtype: String, its dtype.
    """
    half = dtype in ("float16", "bfloat16")
    wide = ops.cast(inputs, "float32") if half else inputs
    total = ops.sum(ops.square(wide), axis=-1, keepdims=True)
    # The bound is on the square: the root of 0 has no slope.
    norm = ops.sqrt(ops.maximum(total, 1e-24))
    return ops.cast(ops.divide(wide, norm), dtype)
