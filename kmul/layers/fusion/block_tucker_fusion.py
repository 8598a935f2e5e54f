import keras

from kmul._contractions import outer_product
from kmul.layers.fusion._chunks import ChunkedFusion
from kmul.layers.fusion._chunks import linear_by_chunk


@keras.saving.register_keras_serializable(package="kmul")
class BLOCKTuckerFusion(ChunkedFusion):
    """Superdiagonal fusion in Tucker form: a full core in each chunk.

    ```
    z_c = l2(ssqrt(𝐓_c ×_1 x̃_1,c ×_2 x̃_2,c + t_c))    x̃_i = L_i x_i
    y = O([z_1, ..., z_chunks])
    ```

    with the chunks and the normalization of `BLOCKFusion`, which has cores of
    low rank.

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width of the projections and of
            the product.
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
    `second_bias` (linear1), `core_kernel` (size · size, chunks · size) with
    size = hidden_units / chunks, the cores 𝐓_c side by side, in each of which
    x̃_1,c varies slowest, which are the weights of the original's bilinears
    transposed by (1, 2, 0) and reshaped, `core_bias`, `output_kernel` O and
    `output_bias` (linear_out). A smaller last chunk has `core_last_kernel` and
    `core_last_bias`, after those of the others. With `shared` there is no
    `second_…`.

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a, b = keras.Input((128,)), keras.Input((64,))
    y = kmul.layers.BLOCKTuckerFusion(10, chunks=8)([a, b])
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

    def build_chunks(self, suffix, count, size):
        return self.add_linear(
            f"core{suffix}", size * size, count * size, count
        )

    def multiply_chunks(self, first, second, weights):
        return linear_by_chunk(outer_product(first, second), *weights)
