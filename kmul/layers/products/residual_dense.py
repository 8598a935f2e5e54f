import keras

from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_boolean
from kmul._validation import check_positive_integer
from kmul._validation import check_shape


@keras.saving.register_keras_serializable(package="kmul")
class ResidualDense(keras.layers.Dense):
    """A dense layer whose input is added to its output where the widths agree.

    ```
    y = activation(x W + b) + x    if the last axis of x has size `units`
    y = activation(x W + b)        otherwise
    ```

    The decision is made once, from the number of features and `units`, so a
    layer computes the same function in training and evaluation and for every
    batch size.

    Args:
        units: Positive integer, the size of the output's last axis.
        activation: Activation of the dense layer, none by default.
        use_bias: Boolean, whether there is the bias `b`.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        activity_regularizer: Regularizer of the output.
        kernel_constraint: Constraint on the kernel.
        bias_constraint: Constraint on the bias.
        **kwargs: The other arguments of `keras.layers.Dense`, and those of
            every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, ..., features)`.

    Input shape:
        `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., units)`.

    Masking: the mask of the input is passed on.

    `quantize` and `enable_lora` are those of `keras.layers.Dense`, and change
    `W` alone: x is added in full precision.

    Example:

    ```python
    x = keras.Input((256,))
    y = kmul.layers.ResidualDense(256, activation="relu")(x)  # x is added
    y = kmul.layers.ResidualDense(10)(y)                      # nothing is
    ```

    Reference:
        - [Deep Residual Learning for Image Recognition (He et al., 2015)](
          https://arxiv.org/abs/1512.03385)
    """

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(
            check_positive_integer("units", units),
            activation=activation,
            use_bias=check_boolean("use_bias", use_bias),
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )

    def build(self, input_shape):
        super().build(check_shape("ResidualDense", input_shape))

    def call(self, inputs, training=None):
        """Returns the dense layer's output, plus its input if that fits.

        Args:
            inputs: Tensor of shape `(batch, ..., features)`.
            training: Boolean, without effect.

        Returns:
            Tensor of shape `(batch, ..., units)`.
        """
        inputs = receive(self, inputs)
        return self._add_input(super().call(inputs, training), inputs)

    def quantized_call(self, inputs, training=None):
        inputs = receive(self, inputs)
        return self._add_input(super().quantized_call(inputs, training), inputs)

    def quantize(self, mode=None, type_check=True, config=None):
        # Dense refuses its subclasses: their `call` may compute anything.
        type_check = type_check and type(self) is not ResidualDense
        super().quantize(mode, type_check=type_check, config=config)

    def compute_output_shape(self, input_shape):
        return (*check_shape("ResidualDense", input_shape)[:-1], self.units)

    def _add_input(self, outputs, inputs):
        if inputs.shape[-1] == self.units:
            return add(outputs, inputs)
        return outputs
