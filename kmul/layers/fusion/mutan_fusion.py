import keras
from keras import ops

from kmul._contractions import split_features
from kmul._validation import check_positive_integer
from kmul.layers.fusion._base import Fusion
from kmul.layers.fusion._base import apply_pair


@keras.saving.register_keras_serializable(package="kmul")
class MUTANFusion(Fusion):
    """Multimodal Tucker fusion with a core of low rank.

    ```
    y = O(Σ_r (M_1ʳ x̃_1)∘(M_2ʳ x̃_2))    x̃_i = L_i x_i
    ```

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width of the projections and of
            the product.
        rank: Positive integer, the number of summands.
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
    `second_bias` (linear1), `first_merge_kernel` (hidden_units, rank ·
    hidden_units), M_1ʳ side by side, the rank varying slowest, and
    `first_merge_bias` (merge_linear0), `second_merge_kernel` and
    `second_merge_bias` (merge_linear1), `output_kernel` O and `output_bias`
    (linear_out). With `shared` there is no `second_…`.

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a, b = keras.Input((128,)), keras.Input((64,))
    y = kmul.layers.MUTANFusion(10, rank=5)([a, b])
    ```

    Reference:
        - [MUTAN: Multimodal Tucker Fusion for Visual Question Answering
          (Ben-younes et al., 2017)](https://arxiv.org/abs/1705.06676)
    """

    def __init__(
        self,
        units,
        hidden_units=128,
        rank=5,
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

    def build_product(self, first, second):
        hidden, rank = self.hidden_units, self.rank
        self.projections = self.add_pair("", first, second, hidden)
        self.merges = self.add_pair(
            "_merge", hidden, hidden, rank * hidden, rank
        )

    def fuse(self, first, second, training):
        projected = apply_pair(self.projections, first, second)
        product = ops.multiply(*apply_pair(self.merges, *projected))
        product = split_features(product, self.rank, self.hidden_units)
        return self.drop(ops.sum(product, axis=-2), training)

    def get_config(self):
        return {
            **super().get_config(),
            "rank": self.rank,
            "shared": self.shared,
        }
