import keras
from keras import ops

from kmul._branches import branch_initializer
from kmul._branches import parted_initializer
from kmul._contractions import linear
from kmul._inputs import fixed_channels
from kmul._sums import add
from kmul._sums import add_to_channels
from kmul._validation import check_data_format


class ImageLayer(keras.layers.Layer):
    """A layer of images that keeps their shape, made of convolutions.

    A subclass adds its weights in `build_weights(input_shape, channels)`. If it
    is a part of others, it computes in `compute`, which they call: that saves
    them what Keras does for every call of a layer.
    Each kernel gets a copy of the initializer with a seed of its own, so that
    no two of them start equal. A depthwise kernel is drawn as one of a single
    input channel, which is what each of its filters sees.

    Args:
        kernel_initializer: Initializer of all kernels.
        kernel_regularizer: Regularizer of all kernels.
        kernel_constraint: Constraint on all kernels.
        data_format: `"channels_last"` or `"channels_first"`, the image data
            format of the Keras configuration by default.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.
    """

    def __init__(
        self,
        kernel_initializer="lecun_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        data_format=None,
        **kwargs,
    ):
        data_format = check_data_format(data_format)
        super().__init__(**kwargs)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.data_format = data_format
        last = data_format == "channels_last"
        self.channel_axis, self.image_axes = (
            (3, (1, 2)) if last else (1, (2, 3))
        )

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        self.input_spec = fixed_channels(input_shape, self.channel_axis)
        self.build_weights(tuple(input_shape), input_shape[self.channel_axis])

    def compute_output_shape(self, input_shape):
        shape = input_shape
        if (
            len(shape) != 4
            or any(isinstance(size, (tuple, list)) for size in shape)
            or shape[self.channel_axis] is None
        ):
            raise ValueError(
                f"`{type(self).__name__}` should be called on images of rank "
                f"4 with a defined channel axis, {self.data_format}. "
                f"Received: input_shape={tuple(shape)}"
            )
        return tuple(shape)

    def next_initializer(self):
        """Returns a copy of the initializer for the next kernel."""
        return branch_initializer(self.kernel_initializer, len(self.weights))

    def add_kernel(self, name, shape, initializer=None):
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer or self.next_initializer(),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def add_bias(self, name, channels):
        return self.add_weight(
            name=name, shape=(channels,), initializer="zeros"
        )

    def add_pointwise(self, name, channels, filters, bias=True, parts=1):
        """Adds the kernel and the bias of a 1×1 convolution.

        With `parts` above one, that of several side by side, each initialized
        as one of its own.
        """
        initializer = self.next_initializer()
        if parts > 1:
            initializer = parted_initializer(initializer, parts)
        kernel = self.add_kernel(
            f"{name}_kernel", (channels, filters), initializer
        )
        return kernel, self.add_bias(f"{name}_bias", filters) if bias else None

    def add_depthwise(self, name, size, channels, bias=True):
        """Adds the kernel and the bias of a depthwise convolution."""
        draw = self.next_initializer()

        def initialize(shape, dtype=None):
            height, width, channels, _ = shape
            kernel = draw((height, width, 1, channels), dtype=dtype)
            return ops.reshape(kernel, shape)

        kernel = self.add_kernel(
            f"{name}_kernel", (size, size, channels, 1), initialize
        )
        return kernel, self.add_bias(f"{name}_bias", channels) if bias else None

    def add_layer(self, layer_class, name, shape, **kwargs):
        """Returns a built layer of images, made as this one is."""
        layer = layer_class(
            **kwargs,
            kernel_initializer=self.next_initializer(),
            kernel_regularizer=self.kernel_regularizer,
            kernel_constraint=self.kernel_constraint,
            data_format=self.data_format,
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build(shape)
        return layer

    def add_normalization(self, name, shape):
        """Returns a built batch normalization, with PyTorch's defaults."""
        normalization = keras.layers.BatchNormalization(
            axis=self.channel_axis,
            momentum=0.9,
            epsilon=1e-5,
            dtype=self.dtype_policy,
            name=name,
        )
        normalization.build(shape)
        return normalization

    def pointwise(self, inputs, kernel, bias=None):
        """Returns the 1×1 convolution of images."""
        kernel = ops.cast(kernel, self.compute_dtype)
        if self.data_format == "channels_last":
            return linear(inputs, kernel, bias)
        kernel = ops.expand_dims(kernel, (0, 1))
        outputs = ops.conv(inputs, kernel, 1, "valid", self.data_format)
        return self.shift(outputs, bias)

    def depthwise(self, inputs, kernel, bias=None, strides=1, dilation_rate=1):
        """Returns the depthwise convolution of images, zero around them."""
        outputs = ops.depthwise_conv(
            inputs,
            ops.cast(kernel, self.compute_dtype),
            strides,
            "same",
            self.data_format,
            dilation_rate,
        )
        return self.shift(outputs, bias)

    def shift(self, inputs, bias):
        """Returns images plus a bias, or themselves if there is none."""
        if bias is None:
            return inputs
        bias = ops.cast(bias, self.compute_dtype)
        if self.data_format == "channels_last":
            return add_to_channels(inputs, bias)
        return add(inputs, ops.reshape(bias, (1, -1, 1, 1)))

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
            "kernel_regularizer": keras.regularizers.serialize(
                self.kernel_regularizer
            ),
            "kernel_constraint": keras.constraints.serialize(
                self.kernel_constraint
            ),
            "data_format": self.data_format,
        }
