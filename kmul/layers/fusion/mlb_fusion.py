import keras
from keras import ops

from kmul.layers.fusion._base import Fusion
from kmul.layers.fusion._base import apply_pair


@keras.saving.register_keras_serializable(package="kmul")
class MLBFusion(Fusion):
    """Multimodal low-rank bilinear pooling.

    ```
    y = O(act(L_1 x_1)∘act(L_2 x_2))
    ```

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width of the product.
        hidden_activation: Activation of the projections, act.
        activation: Activation of the output, none by default.
        dropout: Number in [0, 1), how much of the product is dropped in
            training.
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
    `second_bias` (linear1), `output_kernel` O and `output_bias` (linear_out).

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a, b = keras.Input((128,)), keras.Input((64,))
    y = kmul.layers.MLBFusion(10)([a, b])
    ```

    Reference:
        - [Hadamard Product for Low-rank Bilinear Pooling (Kim et al., 2016)](
          https://arxiv.org/abs/1610.04325)
    """

    def __init__(
        self,
        units,
        hidden_units=256,
        hidden_activation="tanh",
        activation=None,
        dropout=0.0,
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
            activation=activation,
            dropout=dropout,
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
        self.hidden_activation = keras.activations.get(hidden_activation)

    def build_product(self, first, second):
        self.projections = self.add_pair("", first, second, self.hidden_units)

    def fuse(self, first, second, training):
        projected = apply_pair(self.projections, first, second)
        product = ops.multiply(*map(self.hidden_activation, projected))
        return self.drop(product, training)

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_activation": keras.activations.serialize(
                self.hidden_activation
            ),
        }
