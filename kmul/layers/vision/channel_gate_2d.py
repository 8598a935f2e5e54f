import keras
from keras import ops

from kmul._inputs import receive
from kmul.layers.vision._base import ImageLayer


@keras.saving.register_keras_serializable(package="kmul")
class ChannelGate2D(ImageLayer):
    """Scales each channel of an image by a gate computed from its means.

    ```
    y = x ∘ σ(W mean(x))
    ```

    where mean is that over all positions. It is the "channel operation" of
    CAS-ViT: a `SqueezeExcite` of one layer and no bias.

    Args:
        kernel_initializer: Initializer of all kernels.
        kernel_regularizer: Regularizer of all kernels.
        kernel_constraint: Constraint on all kernels.
        data_format: `"channels_last"` or `"channels_first"`, the image data
            format of the Keras configuration by default.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor, images.

    Input shape:
        `(batch, height, width, channels)`, or `(batch, channels, height,
        width)` for channels first.

    Output shape:
        That of the input.

    Weights: `gate_kernel` Wᵀ (channels, channels).

    Masking: Keras masks are not used.

    Example:

    ```python
    x = keras.Input((32, 32, 64))
    y = kmul.layers.ChannelGate2D()(x)  # (batch, 32, 32, 64)
    ```

    Reference:
        - [CAS-ViT: Convolutional Additive Self-attention Vision Transformers
          for Efficient Mobile Applications (Zhang et al., 2024)](
          https://arxiv.org/abs/2408.03703)
    """

    def __init__(
        self,
        kernel_initializer="lecun_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        data_format=None,
        **kwargs,
    ):
        super().__init__(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
            data_format=data_format,
            **kwargs,
        )

    def build_weights(self, input_shape, channels):
        self.gate_kernel, _ = self.add_pointwise(
            "gate", channels, channels, bias=False
        )

    def call(self, inputs):
        """Returns the images, each channel times its gate.

        Args:
            inputs: Tensor of shape `(batch, height, width, channels)`, or
                `(batch, channels, height, width)` for channels first.

        Returns:
            Tensor of the shape of `inputs`.
        """
        return self.compute(receive(self, inputs))

    def compute(self, inputs):
        mean = ops.mean(inputs, self.image_axes, keepdims=True)
        gate = ops.sigmoid(self.pointwise(mean, self.gate_kernel))
        return ops.multiply(inputs, gate)
