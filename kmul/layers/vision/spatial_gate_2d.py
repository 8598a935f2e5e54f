import keras
from keras import ops

from kmul._inputs import receive
from kmul._validation import check_positive_integer
from kmul.layers.vision._base import ImageLayer


@keras.saving.register_keras_serializable(package="kmul")
class SpatialGate2D(ImageLayer):
    """Scales each position of an image by a gate computed around it.

    ```
    y = x ∘ σ(w · relu(BN(D * x + b)))
    ```

    `D *` is a depthwise convolution, BN batch normalization, and `w ·` sums
    the channels with weights: all channels of a position share one gate. It is
    the "spatial operation" of CAS-ViT.

    Args:
        kernel_size: Positive integer, of the depthwise convolution.
        kernel_initializer: Initializer of all kernels.
        kernel_regularizer: Regularizer of all kernels.
        kernel_constraint: Constraint on all kernels.
        data_format: `"channels_last"` or `"channels_first"`, the image data
            format of the Keras configuration by default.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor, images.
        training: Boolean, for the normalization.

    Input shape:
        `(batch, height, width, channels)`, or `(batch, channels, height,
        width)` for channels first.

    Output shape:
        That of the input.

    Weights, in this order: `depthwise_kernel` D (kernel_size, kernel_size,
    channels, 1), `depthwise_bias` b (channels,), `gate_kernel` w
    (channels, 1), and those of `normalization`.

    Masking: Keras masks are not used.

    Example:

    ```python
    x = keras.Input((32, 32, 64))
    y = kmul.layers.SpatialGate2D()(x)  # (batch, 32, 32, 64)
    ```

    Reference:
        - [CAS-ViT: Convolutional Additive Self-attention Vision Transformers
          for Efficient Mobile Applications (Zhang et al., 2024)](
          https://arxiv.org/abs/2408.03703)
    """

    def __init__(
        self,
        kernel_size=3,
        kernel_initializer="lecun_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        data_format=None,
        **kwargs,
    ):
        kernel_size = check_positive_integer("kernel_size", kernel_size)
        super().__init__(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
            data_format=data_format,
            **kwargs,
        )
        self.kernel_size = kernel_size

    def build_weights(self, input_shape, channels):
        self.depthwise_kernel, self.depthwise_bias = self.add_depthwise(
            "depthwise", self.kernel_size, channels
        )
        self.gate_kernel, _ = self.add_pointwise(
            "gate", channels, 1, bias=False
        )
        self.normalization = self.add_normalization(
            "normalization", input_shape
        )

    def call(self, inputs, training=None):
        """Returns the images, each pixel times its gate.

        Args:
            inputs: Tensor of shape `(batch, height, width, channels)`, or
                `(batch, channels, height, width)` for channels first.
            training: Boolean, whether the normalization uses the batch's own
                mean and variance.

        Returns:
            Tensor of the shape of `inputs`.
        """
        return self.compute(receive(self, inputs), training)

    def compute(self, inputs, training=None):
        hidden = self.depthwise(
            inputs, self.depthwise_kernel, self.depthwise_bias
        )
        hidden = ops.relu(self.normalization(hidden, training=training))
        gate = ops.sigmoid(self.pointwise(hidden, self.gate_kernel))
        return ops.multiply(inputs, gate)

    def get_config(self):
        return {**super().get_config(), "kernel_size": self.kernel_size}
