import keras
from keras import ops

from kmul._branches import parted_initializer
from kmul._validation import check_positive_integer


@keras.saving.register_keras_serializable(package="kmul")
class GatedConv2D(keras.layers.Layer):
    """A convolution times a mask that a second convolution learns.

    ```
    y = activation(value)∘gate_activation(gate)    [value, gate] = x * W + b
    ```

    where `*` is the convolution; both are computed as one.

    Args:
        filters: Positive integer, the number of output channels.
        kernel_size: Integer or pair of integers.
        strides: Integer or pair of integers.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`, the image data
            format of the Keras configuration by default.
        dilation_rate: Integer or pair of integers.
        activation: Activation of the value.
        gate_activation: Activation of the gate.
        use_bias: Boolean, whether there are biases.
        kernel_initializer: Initializer of both kernels.
        bias_initializer: Initializer of both biases.
        kernel_regularizer: Regularizer of both kernels.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.

    Input shape:
        `(batch, height, width, channels)`, or `(batch, channels, height,
        width)` for channels first.

    Output shape:
        That of `keras.layers.Conv2D`.

    Weights, in this order: `convolution/kernel` (height, width, channels, 2 ·
    filters), the value first, and `convolution/bias` (2 · filters,). It is the
    `x, y = split(conv(x), 2)` of the original.

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
        **kwargs,
    ):
        check_positive_integer("filters", filters)
        super().__init__(**kwargs)
        self.filters = filters
        self.activation = keras.activations.get(activation)
        self.gate_activation = keras.activations.get(gate_activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.convolution = keras.layers.Conv2D(
            2 * filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            use_bias=use_bias,
            kernel_initializer=parted_initializer(self.kernel_initializer, 2),
            bias_initializer=parted_initializer(self.bias_initializer, 2),
            kernel_regularizer=kernel_regularizer,
            dtype=self.dtype_policy,
            name="convolution",
        )

    def build(self, input_shape):
        channels = 3 if self._is_channels_last() else 1
        if len(input_shape) != 4 or input_shape[channels] is None:
            raise ValueError(
                "`GatedConv2D` should be called on inputs of rank 4 with a "
                f"defined channel axis, {self.convolution.data_format}. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        self.convolution.build(input_shape)

    def call(self, inputs):
        axis = -1 if self._is_channels_last() else 1
        value, gate = ops.split(self.convolution(inputs), 2, axis)
        return ops.multiply(self.activation(value), self.gate_activation(gate))

    def compute_output_shape(self, input_shape):
        shape = list(self.convolution.compute_output_shape(input_shape))
        shape[3 if self._is_channels_last() else 1] = self.filters
        return tuple(shape)

    def _is_channels_last(self):
        return self.convolution.data_format == "channels_last"

    def get_config(self):
        convolution = self.convolution
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": convolution.kernel_size,
            "strides": convolution.strides,
            "padding": convolution.padding,
            "data_format": convolution.data_format,
            "dilation_rate": convolution.dilation_rate,
            "activation": keras.activations.serialize(self.activation),
            "gate_activation": keras.activations.serialize(
                self.gate_activation
            ),
            "use_bias": convolution.use_bias,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
            "bias_initializer": keras.initializers.serialize(
                self.bias_initializer
            ),
            "kernel_regularizer": keras.regularizers.serialize(
                convolution.kernel_regularizer
            ),
        }
