"""Functions shared by the layers that mix the outputs of other layers."""

from keras import ops

from kmul._sums import add


def weighted_sum(weights, inputs):
    """Returns the sum of tensors of one shape, each times a weight.

    Args:
        weights: Tensor of shape (len(inputs),).
        inputs: List of tensors.
    """
    total = ops.multiply(weights[0], inputs[0])
    for index in range(1, len(inputs)):
        total = add(total, ops.multiply(weights[index], inputs[index]))
    return total


def match_axes(mask, x):
    """Returns a mask of the first axes of `x` with one for each of its axes."""
    missing = len(x.shape) - len(mask.shape)
    return ops.reshape(
        ops.cast(mask, "bool"), (*ops.shape(mask), *[1] * missing)
    )
