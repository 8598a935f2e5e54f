import math

import keras
from keras import ops

from kmul._validation import check_positive_integer


@keras.saving.register_keras_serializable(package="kmul")
class PartialConv2D(keras.layers.Layer):
    """A convolution over the valid pixels only, which says which are valid.

    ```
    y = (x∘m * W) · size / (m * 1) + b    where any pixel under the window is
                                          valid, 0 elsewhere
    m' = 1 where any is, 0 elsewhere
    ```

    where `*` is the convolution and `size` the number of elements of the
    window. Pixels outside of the image are not valid, so the padded border is
    scaled up, too.

    Args:
        filters: Positive integer, the number of output channels.
        kernel_size: Integer or pair of integers.
        strides: Integer or pair of integers.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`, the image data
            format of the Keras configuration by default.
        dilation_rate: Integer or pair of integers.
        activation: Activation of the output, none by default.
        use_bias: Boolean, whether there is a bias.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        return_mask: Boolean, whether to return the pair (y, m') instead of y.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of two tensors, `[x, m]`: images, and masks that
            are 1 where a pixel is valid and 0 where it is not.

    Input shape:
        `x`: `(batch, height, width, channels)`. `m`: of the same shape, or
        with one channel, which then stands for all of them. Channels come
        second in both for channels first.

    Output shape:
        That of `keras.layers.Conv2D`; with `return_mask` a pair of it and of
        the same with one channel.

    Weights, in this order: `convolution/kernel` (height, width, channels,
    filters), which is the original's transposed by (2, 3, 1, 0), and
    `convolution/bias` (filters,). The original adds 1e-8 to the number of valid
    pixels, a relative difference of at most 1e-8.

    Masking: Keras masks are not used.

    Example:

    ```python
    x, m = keras.Input((32, 32, 3)), keras.Input((32, 32, 1))
    layer = kmul.layers.PartialConv2D(16, 3, padding="same", return_mask=True)
    y, m = layer([x, m])  # (batch, 32, 32, 16) and (batch, 32, 32, 1)
    ```

    Reference:
        - [Image Inpainting for Irregular Holes Using Partial Convolutions (Liu
          et al., 2018)](https://arxiv.org/abs/1804.07723)
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        return_mask=False,
        **kwargs,
    ):
        check_positive_integer("filters", filters)
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)
        self.return_mask = return_mask
        self.convolution = keras.layers.Conv2D(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            dtype=self.dtype_policy,
            name="convolution",
        )

    def build(self, input_shape):
        image, _ = self._check_shapes(input_shape)
        self.convolution.build(image)

    def call(self, inputs):
        image, mask = inputs
        convolution = self.convolution
        channels = mask.shape[self._channel_axis()]
        window = ops.ones((*convolution.kernel_size, channels, 1), mask.dtype)
        count = convolution.convolution_op(mask, window)
        valid = ops.cast(ops.greater(count, 0), self.compute_dtype)
        size = math.prod(convolution.kernel_size) * channels
        scale = ops.multiply(size / ops.maximum(count, 1), valid)
        outputs = convolution.convolution_op(
            ops.multiply(image, mask), convolution.kernel
        )
        outputs = ops.multiply(outputs, scale)
        if convolution.use_bias:
            bias = convolution.bias
            if convolution.data_format == "channels_first":
                bias = ops.reshape(bias, (convolution.filters, 1, 1))
            outputs = ops.add(outputs, ops.multiply(bias, valid))
        outputs = self.activation(outputs)
        return (outputs, valid) if self.return_mask else outputs

    def compute_output_shape(self, input_shape):
        image, _ = self._check_shapes(input_shape)
        shape = self.convolution.compute_output_shape(image)
        if not self.return_mask:
            return shape
        mask = list(shape)
        mask[self._channel_axis()] = 1
        return shape, tuple(mask)

    def _channel_axis(self):
        channels_last = self.convolution.data_format == "channels_last"
        return 3 if channels_last else 1

    def _check_shapes(self, shapes):
        if (
            not isinstance(shapes, (tuple, list))
            or len(shapes) != 2
            or not all(isinstance(each, (tuple, list)) for each in shapes)
            or any(len(each) != 4 for each in shapes)
        ):
            raise ValueError(
                "`PartialConv2D` should be called on a list or tuple of two "
                "tensors of rank 4, images and masks. "
                f"Received: input_shape={shapes}"
            )
        image, mask = map(tuple, shapes)
        axis = self._channel_axis()
        if image[axis] is None or mask[axis] not in (1, image[axis]):
            raise ValueError(
                "The masks of `PartialConv2D` should have one channel, or the "
                "channels of the images, whose number should be defined. "
                f"Received: input_shape={[image, mask]}"
            )
        if any(
            i != axis and None not in (a, b) and a != b
            for i, (a, b) in enumerate(zip(image, mask, strict=True))
        ):
            raise ValueError(
                "Images and masks of `PartialConv2D` should have one size. "
                f"Received: input_shape={[image, mask]}"
            )
        return image, mask

    def get_config(self):
        convolution = self.convolution
        return {
            **super().get_config(),
            "filters": convolution.filters,
            "kernel_size": convolution.kernel_size,
            "strides": convolution.strides,
            "padding": convolution.padding,
            "data_format": convolution.data_format,
            "dilation_rate": convolution.dilation_rate,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": convolution.use_bias,
            "kernel_initializer": keras.initializers.serialize(
                convolution.kernel_initializer
            ),
            "bias_initializer": keras.initializers.serialize(
                convolution.bias_initializer
            ),
            "kernel_regularizer": keras.regularizers.serialize(
                convolution.kernel_regularizer
            ),
            "return_mask": self.return_mask,
        }
