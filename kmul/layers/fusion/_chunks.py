from keras import ops

from kmul._contractions import split_features
from kmul._sums import add
from kmul._validation import check_boolean
from kmul._validation import check_positive_integer
from kmul.layers.fusion._base import Fusion
from kmul.layers.fusion._base import apply_pair
from kmul.layers.fusion._base import normalize_product


class ChunkedFusion(Fusion):
    """The base of superdiagonal fusions: a product for each chunk.

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width of the product.
        chunks: Positive integer, the number of chunks.
        normalize: Boolean, whether each chunk of the product is normalized.
        **kwargs: The arguments of `Fusion`.
    """

    def __init__(self, units, hidden_units, chunks, normalize, **kwargs):
        chunks = check_positive_integer("chunks", chunks)
        normalize = check_boolean("normalize", normalize)
        super().__init__(units, hidden_units, **kwargs)
        if chunk_size(hidden_units, chunks) * (chunks - 1) >= hidden_units:
            raise ValueError(
                "`hidden_units` should be enough for `chunks` chunks of "
                f"{chunk_size(hidden_units, chunks)}, the last of which may be "
                f"smaller. Received: hidden_units={hidden_units}, "
                f"chunks={chunks}"
            )
        self.chunks = chunks
        self.normalize = normalize

    def build_product(self, first, second):
        self.projections = self.add_pair("", first, second, self.hidden_units)
        self.chunk_layers = [
            self.build_chunks(suffix, count, size)
            for suffix, count, size in self._groups()
        ]

    def build_chunks(self, suffix, count, size):
        """Returns the weights of the products of chunks of one size."""
        raise NotImplementedError

    def fuse(self, first, second, training):
        projected = apply_pair(self.projections, first, second)
        groups = self._groups()
        parts = [projected]
        if len(groups) == 2:
            _, count, size = groups[0]
            parts = zip(
                *(ops.split(x, [count * size], -1) for x in projected),
                strict=True,
            )
        products = [
            self._fuse_group(*part, count, size, weights)
            for part, (_, count, size), weights in zip(
                parts, groups, self.chunk_layers, strict=True
            )
        ]
        if len(products) == 1:
            return self.drop(products[0], training)
        return self.drop(ops.concatenate(products, axis=-1), training)

    def multiply_chunks(self, first, second, weights):
        """Returns the products of chunks, each (batch, ..., count, size)."""
        raise NotImplementedError

    def _groups(self):
        """Returns (suffix of the weights' names, count, size) for each size."""
        size = chunk_size(self.hidden_units, self.chunks)
        last = self.hidden_units - size * (self.chunks - 1)
        if last == size:
            return [("", self.chunks, size)]
        return [("", self.chunks - 1, size), ("_last", 1, last)]

    def _fuse_group(self, first, second, count, size, weights):
        product = self.multiply_chunks(
            split_features(first, count, size),
            split_features(second, count, size),
            weights,
        )
        if self.normalize:
            product = normalize_product(product, self.compute_dtype)
        return ops.reshape(product, (*ops.shape(first)[:-1], count * size))

    def get_config(self):
        return {
            **super().get_config(),
            "chunks": self.chunks,
            "normalize": self.normalize,
            "shared": self.shared,
        }


def chunk_size(width, chunks):
    """The size of all chunks but the last, which has the rest."""
    return -(-width // chunks)


def linear_by_chunk(chunks, kernel, bias):
    """Returns each chunk after a linear layer of its own.

    Args:
        chunks: Tensor of shape (batch, ..., count, size).
        kernel: Tensor of shape (size, count · width), the kernels side by side.
        bias: Tensor of shape (count · width,), or `None`.

    Returns:
        A tensor of shape (batch, ..., count, width).
    """
    count, size = chunks.shape[-2:]
    width = kernel.shape[-1] // count
    # An ellipsis in their place would be slow on TensorFlow.
    axes = "abdefgh"[: len(chunks.shape) - 2]
    outputs = ops.einsum(
        f"{axes}cs,scw->{axes}cw",
        chunks,
        ops.reshape(kernel, (size, count, width)),
    )
    if bias is None:
        return outputs
    return add(outputs, ops.reshape(bias, (count, width)))
