import keras
from keras import ops

from kmul._inputs import receive
from kmul._validation import check_positive_integer
from kmul.layers.vision._base import ImageLayer


@keras.saving.register_keras_serializable(package="kmul")
class LargeKernelAttention2D(ImageLayer):
    """Images times a convolution of them with a large kernel (LKA).

    ```
    y = x ∘ (W DW'(DW(x)))
    ```

    The kernel is factored: DW is a depthwise convolution of size 2d − 1, DW'
    one of size ⌈`kernel_size` / d⌉ and of dilation d, W mixes the channels of a
    pixel. The gate is not squashed, so that y is a polynomial of second degree.

    Args:
        kernel_size: Positive integer K, the size of the kernel that is
            factored. The default is that of VAN, with 5×5 and 7×7 elements.
        dilation_rate: Positive integer d.
        kernel_initializer: Initializer of all kernels.
        kernel_regularizer: Regularizer of all kernels.
        kernel_constraint: Constraint on all kernels.
        data_format: `"channels_last"` or `"channels_first"`, the image data
            format of the Keras configuration by default.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.

    Input shape:
        `(batch, height, width, channels)`, or `(batch, channels, height,
        width)` for channels first, of any height and width.

    Output shape:
        That of the input.

    Weights, in this order: `local_kernel` (2d − 1, 2d − 1, channels, 1) and
    `local_bias` (channels,), conv0 of the original; `dilated_kernel` and
    `dilated_bias`, its conv_spatial; `channel_kernel` Wᵀ (channels, channels)
    and `channel_bias`, its conv1. Torch's depthwise kernels are transposed by
    (2, 3, 0, 1).

    Example: the attention of a block of VAN.

    ```python
    x = keras.Input((32, 32, 64))
    y = keras.layers.Conv2D(64, 1, activation="gelu")(x)
    y = kmul.layers.LargeKernelAttention2D()(y)  # (batch, 32, 32, 64)
    y = keras.layers.Add()([keras.layers.Conv2D(64, 1)(y), x])
    ```

    Reference:
        - [Visual Attention Network (Guo et al., 2022)](
          https://arxiv.org/abs/2202.09741)
    """

    def __init__(
        self,
        kernel_size=21,
        dilation_rate=3,
        kernel_initializer="lecun_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        data_format=None,
        **kwargs,
    ):
        kernel_size = check_positive_integer("kernel_size", kernel_size)
        dilation_rate = check_positive_integer("dilation_rate", dilation_rate)
        super().__init__(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
            data_format=data_format,
            **kwargs,
        )
        self.kernel_size = kernel_size
        self.dilation_rate = dilation_rate

    def build_weights(self, input_shape, channels):
        size = -(-self.kernel_size // self.dilation_rate)
        self.local = self.add_depthwise(
            "local", 2 * self.dilation_rate - 1, channels
        )
        self.dilated = self.add_depthwise("dilated", size, channels)
        self.channel = self.add_pointwise("channel", channels, channels)

    def call(self, inputs):
        """Returns the images times their gate.

        Args:
            inputs: Tensor of shape `(batch, height, width, channels)`, or
                `(batch, channels, height, width)` for channels first.

        Returns:
            Tensor of the shape of `inputs`.
        """
        images = receive(self, inputs)
        gate = self.depthwise(images, *self.local)
        gate = self.depthwise(
            gate, *self.dilated, dilation_rate=self.dilation_rate
        )
        return ops.multiply(images, self.pointwise(gate, *self.channel))

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "dilation_rate": self.dilation_rate,
        }
