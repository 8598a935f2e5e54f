import math

import keras
from keras import ops

from kmul._inputs import fixed_channels
from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_boolean
from kmul._validation import differ
from kmul.layers.masks._base import ConvolutionLayer


@keras.saving.register_keras_serializable(package="kmul")
class PartialConv2D(ConvolutionLayer):
    """A convolution over valid pixels only, which updates their mask.

    ```
    y = (x∘m * W) · size / (m * 1) + b    where any pixel under the window is
                                          valid, 0 elsewhere
    m' = 1 where any is, 0 elsewhere
    ```

    then `activation`. `*` is the convolution and `size` the number of elements
    of the window. Pixels outside the image are not valid, so sums at a padded
    border are scaled up as well. Called without a mask, the layer does only
    that: partial convolution based padding.

    Args:
        filters: Positive integer, the number of output channels.
        kernel_size: Positive integer or pair of them.
        strides: Positive integer or pair of them.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`, the image data
            format of the Keras configuration by default.
        dilation_rate: Positive integer or pair of them.
        groups: Positive integer, the number of groups that the channels are
            split into, each convolved on its own. `m * 1` runs over the
            channels of all groups, as in the original.
        activation: Activation of the output, none by default.
        use_bias: Boolean, whether there is a bias.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on the kernel.
        bias_constraint: Constraint on the bias.
        return_mask: Boolean, whether to return the pair (y, m') instead of y.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of two tensors, `[x, m]`: images, and masks of
            any dtype, 0 where a pixel is not valid and anything else where it
            is. Or `x` alone, all valid. Pixels that are not valid change
            nothing, not even if they are NaN.

    Input shape:
        `x`: `(batch, height, width, channels)`. `m`: of the same shape, or
        with one channel, which then stands for all of them. Channels come
        second in both for channels first.

    Output shape:
        That of `keras.layers.Conv2D`; with `return_mask` a pair of it and of
        the same with one channel.

    Weights, in this order: `convolution/kernel` (height, width, channels /
    groups, filters), which is the original's transposed by (2, 3, 1, 0), and
    `convolution/bias` (filters,). The original adds 1e-8 to the number of valid
    pixels, a relative difference of at most 1e-8. With `strides` above one and
    odd kernels Keras's `"same"` pads even sizes at the end only, PyTorch on
    both sides: for its result apply `keras.layers.ZeroPadding2D` to `x` and to
    `m` and use `padding="valid"`.

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
        - [Partial Convolution based Padding (Liu et al., 2018)](
          https://arxiv.org/abs/1811.11718)
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        return_mask=False,
        **kwargs,
    ):
        return_mask = check_boolean("return_mask", return_mask)
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            groups=groups,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.return_mask = return_mask

    def build(self, input_shape):
        image = self._check_shapes(input_shape)
        self.input_spec = fixed_channels(image, self.channel_axis)
        if isinstance(input_shape[0], (tuple, list)):
            mask = keras.layers.InputSpec(ndim=4)
            self.input_spec = [self.input_spec, mask]
        self.convolution.build(image)

    def call(self, inputs):
        """Returns the convolution over valid pixels.

        Args:
            inputs: Images of shape `(batch, height, width, channels)`, or a
                list or tuple `[x, m]` of them and of their masks, of the same
                shape or with one channel.

        Returns:
            Tensor of shape `(batch, new_height, new_width, filters)`; with
            `return_mask` a pair of it and of the new mask, with one channel.
            With channels first, channels are the second axis in all of these.
        """
        inputs = receive(self, inputs)
        if isinstance(inputs, list):
            image, mask = inputs
            mask = ops.cast(mask, "bool")
            image = ops.where(mask, image, ops.zeros_like(image))
        else:
            image = inputs
            last = self.data_format == "channels_last"
            one_channel = image[..., :1] if last else image[:, :1]
            mask = ops.ones_like(one_channel, dtype="bool")
        scale, valid = self._scale(mask)
        outputs = self.convolution.convolution_op(
            image, self.convolution.kernel
        )
        outputs = ops.multiply(outputs, scale)
        if self.use_bias:
            shape = [1, 1, 1, 1]
            shape[self.channel_axis] = self.filters
            bias = ops.reshape(self.convolution.bias, shape)
            outputs = add(outputs, ops.multiply(bias, valid))
        outputs = self.activation(outputs)
        if not self.return_mask:
            return outputs
        return outputs, valid

    def _scale(self, mask):
        """Returns the factor of each window, and 1 where any pixel is valid.

        Half precision has too few digits to count the pixels of a window.
        """
        wide = "float64" if self.compute_dtype == "float64" else "float32"
        count = ops.sum(ops.cast(mask, wide), self.channel_axis, keepdims=True)
        window = ops.ones((*self.kernel_size, 1, 1), wide)
        count = self.convolution.convolution_op(count, window)
        size = math.prod(self.kernel_size) * mask.shape[self.channel_axis]
        scale = ops.divide(size, ops.maximum(count, 1))
        # A convolution may be computed in a way that rounds.
        valid = ops.cast(ops.greater(count, 0.5), wide)
        return (
            ops.cast(ops.multiply(scale, valid), self.compute_dtype),
            ops.cast(valid, self.compute_dtype),
        )

    def compute_output_shape(self, input_shape):
        image = self._check_shapes(input_shape)
        shape = self.convolution.compute_output_shape(image)
        if not self.return_mask:
            return shape
        mask = list(shape)
        mask[self.channel_axis] = 1
        return shape, tuple(mask)

    def _check_shapes(self, shapes):
        """Returns the shape of the images."""
        several = shapes and all(isinstance(s, (tuple, list)) for s in shapes)
        each_shape = shapes if several else [shapes]
        if (several and len(shapes) != 2) or any(
            len(shape) != 4 for shape in each_shape
        ):
            raise ValueError(
                "`PartialConv2D` should be called on images of rank 4, or on a "
                "list or tuple of images and masks of rank 4. "
                f"Received: input_shape={shapes}"
            )
        image, *masks = map(tuple, each_shape)
        axis = self.channel_axis
        if image[axis] is None or any(
            mask[axis] not in (1, image[axis]) for mask in masks
        ):
            raise ValueError(
                "The masks of `PartialConv2D` should have one channel, or the "
                "channels of the images, whose number should be defined. "
                f"Received: input_shape={shapes}"
            )
        if any(
            i != axis and differ(sizes)
            for i, sizes in enumerate(zip(image, *masks, strict=True))
        ):
            raise ValueError(
                "Images and masks of `PartialConv2D` should have one size. "
                f"Received: input_shape={shapes}"
            )
        return image

    def get_config(self):
        return {
            **super().get_config(),
            "groups": self.groups,
            "return_mask": self.return_mask,
        }
