import keras
from keras import ops

from kmul._inputs import fixed_channels
from kmul._inputs import receive
from kmul.layers.masks._base import ConvolutionLayer


@keras.saving.register_keras_serializable(package="kmul")
class GatedConv2D(ConvolutionLayer):
    """A convolution times a mask that a second convolution learns.

    ```
    y = activation(value)∘gate_activation(gate)    [value, gate] = x * W + b
    ```

    where `*` is the convolution; both are computed as one.

    Args:
        filters: Positive integer, the number of output channels.
        kernel_size: Positive integer or pair of them.
        strides: Positive integer or pair of them.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`, the image data
            format of the Keras configuration by default.
        dilation_rate: Positive integer or pair of them.
        activation: Activation of the value.
        gate_activation: Activation of the gate.
        use_bias: Boolean, whether there are biases.
        kernel_initializer: Initializer of both kernels.
        bias_initializer: Initializer of both biases.
        kernel_regularizer: Regularizer of both kernels.
        bias_regularizer: Regularizer of both biases.
        kernel_constraint: Constraint on both kernels.
        bias_constraint: Constraint on both biases.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.

    Input shape:
        `(batch, height, width, channels)`, or `(batch, channels, height,
        width)` for channels first.

    Output shape:
        That of `keras.layers.Conv2D`.

    Weights, in this order: `convolution/kernel` (height, width, channels, 2 ·
    filters), the value first, and `convolution/bias` (2 · filters,). The
    original splits its convolution the same way.

    Example:

    ```python
    x = keras.Input((32, 32, 4))
    y = kmul.layers.GatedConv2D(16, 3, padding="same")(x)
    ```

    Reference:
        - [Free-Form Image Inpainting with Gated Convolution (Yu et al., 2018)](
          https://arxiv.org/abs/1806.03589)
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        activation="elu",
        gate_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            parts=2,
            **kwargs,
        )
        self.gate_activation = keras.activations.get(gate_activation)

    def build(self, input_shape):
        self._check_shape(input_shape)
        self.input_spec = fixed_channels(input_shape, self.channel_axis)
        self.convolution.build(input_shape)

    def call(self, inputs):
        """Returns the value times its gate.

        Args:
            inputs: Tensor of shape `(batch, height, width, channels)`, or
                `(batch, channels, height, width)` for channels first.

        Returns:
            Tensor of shape `(batch, new_height, new_width, filters)`, or
            `(batch, filters, new_height, new_width)`.
        """
        both = self.convolution(receive(self, inputs))
        value, gate = ops.split(both, 2, self.channel_axis)
        return ops.multiply(self.activation(value), self.gate_activation(gate))

    def compute_output_shape(self, input_shape):
        self._check_shape(input_shape)
        shape = list(self.convolution.compute_output_shape(input_shape))
        shape[self.channel_axis] = self.filters
        return tuple(shape)

    def _check_shape(self, shape):
        if len(shape) != 4 or shape[self.channel_axis] is None:
            raise ValueError(
                "`GatedConv2D` should be called on inputs of rank 4 with a "
                f"defined channel axis, {self.data_format}. "
                f"Received: input_shape={tuple(shape)}"
            )

    def get_config(self):
        return {
            **super().get_config(),
            "gate_activation": keras.activations.serialize(
                self.gate_activation
            ),
        }
