import keras
from keras import ops

from kmul._contractions import bilinear
from kmul._sums import add_bias
from kmul.layers.fusion._base import Fusion
from kmul.layers.fusion._base import apply_pair


@keras.saving.register_keras_serializable(package="kmul")
class TuckerFusion(Fusion):
    """Bilinear fusion in Tucker form, with a full core tensor.

    ```
    y = O(𝐓 ×_1 x̃_1 ×_2 x̃_2 + t)    x̃_i = L_i x_i
    ```

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the size of each axis of the core 𝐓.
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
    `second_bias` (linear1), `core_kernel` 𝐓 (hidden_units, hidden_units,
    hidden_units), the axes being x̃_1, x̃_2 and the product, which is the
    weight of the original's `nn.Bilinear` transposed by (1, 2, 0), `core_bias`
    t, `output_kernel` O and `output_bias` (linear_out). With `shared` there is
    no `second_…`.

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a, b = keras.Input((128,)), keras.Input((64,))
    y = kmul.layers.TuckerFusion(10, hidden_units=32)([a, b])
    ```

    Reference:
        - [MUTAN: Multimodal Tucker Fusion for Visual Question Answering
          (Ben-younes et al., 2017)](https://arxiv.org/abs/1705.06676)
    """

    def __init__(
        self,
        units,
        hidden_units=64,
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

    def build_product(self, first, second):
        hidden = self.hidden_units
        self.projections = self.add_pair("", first, second, hidden)
        self.core_kernel = self.add_kernel(
            "core_kernel", (hidden, hidden, hidden)
        )
        self.core_bias = self.add_bias("core_bias", hidden)

    def fuse(self, first, second, training):
        projected = apply_pair(self.projections, first, second)
        kernel = ops.convert_to_tensor(self.core_kernel)
        product = bilinear(*projected, kernel)
        return self.drop(add_bias(product, self.core_bias), training)

    def get_config(self):
        return {**super().get_config(), "shared": self.shared}
