import keras


class Downsampling(keras.layers.Layer):
    """A 3×3 convolution that halves images, normalized.

    Zeros are added on all four sides. Keras's `"same"` adds them at the far
    sides of even sizes alone, PyTorch's `padding=1` as here.

    Args:
        filters: Positive integer, the number of output channels.
        activation: Activation of the output.
        data_format: `"channels_last"` or `"channels_first"`.
        kernel_initializer: Initializer of the kernel.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.
    """

    def __init__(
        self,
        filters,
        activation=None,
        data_format=None,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.padding = keras.layers.ZeroPadding2D(
            1, data_format=data_format, dtype=self.dtype_policy
        )
        self.convolution = keras.layers.Conv2D(
            filters,
            3,
            strides=2,
            data_format=data_format,
            kernel_initializer=kernel_initializer,
            dtype=self.dtype_policy,
            name="convolution",
        )
        self.normalization = keras.layers.BatchNormalization(
            axis=1 if data_format == "channels_first" else -1,
            momentum=0.9,
            epsilon=1e-5,
            dtype=self.dtype_policy,
            name="normalization",
        )
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        shape = self.padding.compute_output_shape(input_shape)
        self.convolution.build(shape)
        self.normalization.build(self.convolution.compute_output_shape(shape))

    def call(self, inputs, training=None):
        outputs = self.convolution(self.padding(inputs))
        outputs = self.normalization(outputs, training=training)
        return self.activation(outputs)

    def compute_output_shape(self, input_shape):
        shape = self.padding.compute_output_shape(input_shape)
        return self.convolution.compute_output_shape(shape)
