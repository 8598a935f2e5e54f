import keras
from keras import ops

from kmul._contractions import split_features
from kmul._validation import check_positive_integer
from kmul.layers.fusion._chunks import ChunkedFusion
from kmul.layers.fusion._chunks import linear_by_chunk


@keras.saving.register_keras_serializable(package="kmul")
class BLOCKFusion(ChunkedFusion):
    """Bilinear superdiagonal fusion: MUTAN in each of several chunks.

    ```
    z_c = l2(ssqrt(Σ_r (M_1,cʳ x̃_1,c)∘(M_2,cʳ x̃_2,c)))    x̃_i = L_i x_i
    y = O([z_1, ..., z_chunks])
    ```

    where x̃_i,c is the c-th chunk of x̃_i, ssqrt(z) = sign(z) √abs(z) and l2 the
    division by the L2 norm. Both have a finite gradient at 0. Chunks are of one
    size, rounded up; the last has the rest.

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width of the projections and of
            the product.
        rank: Positive integer, the number of summands in each chunk.
        chunks: Positive integer, the number of chunks.
        normalize: Boolean, whether chunks are normalized by ssqrt and l2.
        activation: Activation of the output, none by default.
        dropout: Number in [0, 1), how much of the product is dropped in
            training.
        shared: Boolean, whether both inputs, of one width, go through the same
            layers up to the product.
        use_bias: Boolean, whether there are biases.
        kernel_initializer: Initializer of all kernels.
        bias_initializer: Initializer of all biases.
        kernel_regularizer: Regularizer of all kernels.
        bias_regularizer: Regularizer of all biases.
        kernel_constraint: Constraint on all kernels.
        bias_constraint: Constraint on all biases.
        seed: Integer, the seed of the dropout.
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
    `output_kernel` O and `output_bias` (linear_out). A smaller last chunk has
    `first_merge_last_kernel` and so on, after those of the others. With
    `shared` there is no `second_…`.

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
        activation=None,
        dropout=0.0,
        shared=False,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        seed=None,
        **kwargs,
    ):
        rank = check_positive_integer("rank", rank)
        super().__init__(
            units,
            hidden_units,
            chunks,
            normalize,
            activation=activation,
            dropout=dropout,
            shared=shared,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            seed=seed,
            **kwargs,
        )
        self.rank = rank

    def build_chunks(self, suffix, count, size):
        width = count * self.rank * size
        return self.add_pair(
            f"_merge{suffix}", size, size, width, count * self.rank
        )

    def multiply_chunks(self, first, second, weights):
        product = ops.multiply(
            linear_by_chunk(first, *weights[0]),
            linear_by_chunk(second, *weights[1]),
        )
        product = split_features(product, self.rank, first.shape[-1])
        return ops.sum(product, axis=-2)

    def get_config(self):
        return {**super().get_config(), "rank": self.rank}
