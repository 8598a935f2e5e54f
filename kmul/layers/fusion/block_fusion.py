import keras
from keras import ops

from kmul._contractions import split_features
from kmul._sums import add
from kmul._validation import check_boolean
from kmul._validation import check_positive_integer
from kmul.layers.fusion.mutan_fusion import MUTANFusion


@keras.saving.register_keras_serializable(package="kmul")
class BLOCKFusion(MUTANFusion):
    """Bilinear superdiagonal fusion: MUTAN in each of several chunks.

    ```
    z_c = l2(ssqrt(Σ_r (M_1,cʳ x̃_1,c)∘(M_2,cʳ x̃_2,c)))    x̃_i = L_i x_i
    y = O([z_1, ..., z_chunks])
    ```

    where x̃_i,c is the c-th of equal chunks of x̃_i, ssqrt(z) = sign(z) √abs(z)
    and l2 the division by the L2 norm. Both have a finite gradient at 0.

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width of the projections and of
            the product, a multiple of `chunks`.
        rank: Positive integer, the number of summands in each chunk.
        chunks: Positive integer, the number of chunks.
        normalize: Boolean, whether chunks are normalized by ssqrt and l2.
        use_bias: Boolean, whether there are biases.
        kernel_initializer: Initializer of all kernels.
        bias_initializer: Initializer of all biases.
        kernel_regularizer: Regularizer of all kernels.
        bias_regularizer: Regularizer of all biases.
        kernel_constraint: Constraint on all kernels.
        bias_constraint: Constraint on all biases.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of two tensors, `[x_1, x_2]`.

    Input shape:
        Two of `(batch, ..., features_i)`, of rank 2 or more, equal before the
        last axis.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order, kernels being transposes of the original's:
    `first_kernel` L_1 and `first_bias` (linear0), `second_kernel` L_2 and
    `second_bias` (linear1), `first_merge_kernel` (size, chunks · rank · size)
    with size = hidden_units / chunks, the kernels of merge_linears0 side by
    side, chunk by chunk, the rank varying slowest in each, and
    `first_merge_bias`, the same for `second_merge` (merge_linears1),
    `output_kernel` O and `output_bias` (linear_out).

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a, b = keras.Input((128,)), keras.Input((64,))
    y = kmul.layers.BLOCKFusion(10, chunks=8)([a, b])
    ```

    Reference:
        - [BLOCK: Bilinear Superdiagonal Fusion for Visual Question Answering
          and Visual Relationship Detection (Ben-younes et al., 2019)](
          https://arxiv.org/abs/1902.00038)
    """

    def __init__(
        self,
        units,
        hidden_units=256,
        rank=5,
        chunks=16,
        normalize=True,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        chunks = check_positive_integer("chunks", chunks)
        normalize = check_boolean("normalize", normalize)
        super().__init__(
            units,
            hidden_units,
            rank,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        if hidden_units % chunks:
            raise ValueError(
                "The argument `hidden_units` should be a multiple of `chunks`. "
                f"Received: hidden_units={hidden_units}, chunks={chunks}"
            )
        self.chunks = chunks
        self.normalize = normalize

    def build_product(self, first, second):
        self.add_projections(first, second, self.hidden_units)
        size = self.hidden_units // self.chunks
        width, parts = self.rank * self.hidden_units, self.chunks * self.rank
        self.merges = [
            self.add_linear(f"{name}_merge", size, width, parts)
            for name in ("first", "second")
        ]

    def fuse(self, first, second):
        size = self.hidden_units // self.chunks
        first, second = self.project(first, second)
        product = ops.multiply(
            self._merge(first, *self.merges[0]),
            self._merge(second, *self.merges[1]),
        )
        product = split_features(product, self.rank, size)
        product = ops.sum(product, axis=-2)
        if self.normalize:
            product = self.normalize_product(product)
        shape = (*ops.shape(first)[:-1], self.hidden_units)
        return ops.reshape(product, shape)

    def _merge(self, projected, kernel, bias):
        """Returns (batch, ..., chunks, rank · size)."""
        size = self.hidden_units // self.chunks
        width = self.rank * size
        # An ellipsis in their place would be slow on TensorFlow.
        axes = "abdefgh"[: len(projected.shape) - 1]
        merged = ops.einsum(
            f"{axes}cs,scw->{axes}cw",
            split_features(projected, self.chunks, size),
            ops.reshape(kernel, (size, self.chunks, width)),
        )
        if bias is not None:
            merged = add(merged, ops.reshape(bias, (self.chunks, width)))
        return merged

    def get_config(self):
        return {
            **super().get_config(),
            "chunks": self.chunks,
            "normalize": self.normalize,
        }
