"""The parts of `LayerAttention` that need no weights."""

import math

from keras import ops

from kmul._validation import differ
from kmul.layers.depth._base import match_axes


def check_layer_shapes(shapes, pooling):
    """Returns the shapes that `LayerAttention` is called on as tuples."""
    if (
        not isinstance(shapes, (tuple, list))
        or not shapes
        or not all(isinstance(each, (tuple, list)) for each in shapes)
    ):
        raise ValueError(
            "`LayerAttention` should be called on a list or tuple of "
            f"tensors, one for each layer. Received: input_shape={shapes}"
        )
    shapes = [tuple(shape) for shape in shapes]
    for shape in shapes:
        if len(shape) < 2:
            raise ValueError(
                "`LayerAttention` should be called on tensors of rank 2 "
                "or more, (batch, ..., features). Received: "
                f"input_shape={shapes}"
            )
        if shape[-1] is None or (pooling is None and None in shape[1:]):
            raise ValueError(
                "All axes but the first of the inputs of `LayerAttention` "
                'should be defined, or with `pooling="avg"` the last one. '
                f"Received: input_shape={shapes}, pooling={pooling!r}"
            )
    if differ(shape[0] for shape in shapes):
        raise ValueError(
            "All inputs of `LayerAttention` should have the same batch "
            f"size. Received: input_shape={shapes}"
        )
    return shapes


def check_widths(mechanism, shapes, widths, heads):
    """Checks that the vectors are of one width, which the heads divide."""
    if differ(widths):
        raise ValueError(
            f'`LayerAttention` with mechanism="{mechanism}" needs vectors of '
            "one width: set `transform_units`. Received: "
            f"input_shape={shapes}, of widths {widths}"
        )
    if widths[0] % heads:
        raise ValueError(
            "Argument `num_heads` of `LayerAttention` should divide the width "
            f"of the vectors. Received: num_heads={heads}, width={widths[0]}"
        )


def vector_width(shape, pooling):
    """Returns the size of the vector that an output of this shape becomes."""
    return shape[-1] if pooling == "avg" else math.prod(shape[1:])


def to_vectors(inputs, mask, pooling):
    """Returns each layer's output as a tensor of shape (batch, width).

    Args:
        inputs: List of tensors.
        mask: None, or a list of a mask or None for each of them.
        pooling: As of `LayerAttention`.
    """
    masks = mask if mask is not None else [None] * len(inputs)
    return [
        _to_vector(x, mask, pooling)
        for x, mask in zip(inputs, masks, strict=True)
    ]


def _to_vector(x, mask, pooling):
    if mask is not None:
        mask = match_axes(mask, x)
        x = ops.where(mask, x, ops.zeros_like(x))
    if len(x.shape) == 2:
        return x
    if pooling is None:
        return ops.reshape(x, (-1, vector_width(x.shape, pooling)))
    axes = tuple(range(1, len(x.shape) - 1))
    mean = ops.mean(x, axis=axes)
    if mask is None:
        return mean
    kept = ops.logical_and(mask, ops.ones_like(x[..., :1], dtype="bool"))
    share = ops.mean(ops.cast(kept, x.dtype), axis=axes)
    return ops.where(share > 0, mean / ops.where(share > 0, share, 1), 0)


def shares(parts):
    """Returns the parts' lengths by their sum, of shape (batch, len(parts))."""
    parts = ops.cast(ops.stack(parts, axis=1), "float32")
    # The small number keeps the gradient and the division finite at 0.
    lengths = ops.sqrt(ops.sum(ops.square(parts), axis=-1) + 1e-14)
    return lengths / ops.sum(lengths, axis=-1, keepdims=True)


def softmax(logits):
    """Returns the softmax over the last axis, also of a single layer.

    Keras warns of a softmax over one element as a likely mistake.
    """
    if logits.shape[-1] == 1:
        return ops.ones_like(logits)
    return ops.softmax(logits, axis=-1)


def attention_weights(queries, keys, heads):
    """Returns the attention that each layer receives, mean over the queries.

    Args:
        queries: Tensor of shape (batch, layers, heads · size).
        keys: Tensor of the same shape.
        heads: Integer.

    Returns:
        A tensor of shape (batch, heads, layers).
    """
    layers, size = queries.shape[1], queries.shape[2] // heads
    split = (-1, layers, heads, size)
    logits = ops.einsum(
        "bmhd,blhd->bhml",
        ops.reshape(queries, split) / size**0.5,
        ops.reshape(keys, split),
    )
    return ops.mean(softmax(logits), axis=2)


def scale_heads(x, scale):
    """Returns a vector whose part for each head is scaled by that head.

    Args:
        x: Tensor of shape (batch, width).
        scale: Tensor of shape (batch, heads).
    """
    heads = scale.shape[-1]
    parts = ops.reshape(x, (-1, heads, x.shape[-1] // heads))
    parts = ops.multiply(parts, ops.expand_dims(scale, -1))
    return ops.reshape(parts, (-1, x.shape[-1]))


def rows_of(initializer, total, start):
    """Returns an initializer that gives some rows of a larger kernel.

    The kernel of a contraction is kept in parts, one for each layer, which
    start as the rows of the whole would.
    """

    def initialize(shape, dtype=None):
        whole = initializer((total, *shape[1:]), dtype=dtype)
        return whole[start : start + shape[0]]

    return initialize
