import keras
from keras import ops

from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_positive_integer
from kmul.layers.vision._base import ImageLayer
from kmul.layers.vision.channel_gate_2d import ChannelGate2D
from kmul.layers.vision.spatial_gate_2d import SpatialGate2D


@keras.saving.register_keras_serializable(package="kmul")
class AdditiveTokenMixer2D(ImageLayer):
    """Attention over an image that adds query and key, by convolutions.

    ```
    [q, k, v] = W x
    y = P * ((M * (φ(q) + φ'(k)) + b) ∘ v) + c
    φ(t) = C(S(t)), S a SpatialGate2D and C a ChannelGate2D
    ```

    The convolutional additive token mixer (CATM) of CAS-ViT. `M *` and `P *`
    are depthwise convolutions; φ and φ' have weights of their own. No position
    is compared with another, so the cost is linear in the number of positions,
    where that of softmax attention is quadratic.

    Args:
        kernel_size: Positive integer, of all depthwise convolutions.
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

    Weights: `projection_kernel` Wᵀ (channels, 3 · channels); `mixing_kernel` M
    (kernel_size, kernel_size, channels, 1) and `mixing_bias` b (channels,);
    `output_kernel` P and `output_bias` c of the same shapes; and those of the
    sublayers `query_spatial_gate`, `query_channel_gate`, `key_spatial_gate`
    and `key_channel_gate`.

    Masking: Keras masks are not used.

    Example:

    ```python
    x = keras.Input((32, 32, 64))
    y = kmul.layers.AdditiveTokenMixer2D()(x)  # (batch, 32, 32, 64)
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
        self.projection_kernel, _ = self.add_pointwise(
            "projection", channels, 3 * channels, bias=False, parts=3
        )
        self.query_spatial_gate = self.add_layer(
            SpatialGate2D,
            "query_spatial_gate",
            input_shape,
            kernel_size=self.kernel_size,
        )
        self.query_channel_gate = self.add_layer(
            ChannelGate2D, "query_channel_gate", input_shape
        )
        self.key_spatial_gate = self.add_layer(
            SpatialGate2D,
            "key_spatial_gate",
            input_shape,
            kernel_size=self.kernel_size,
        )
        self.key_channel_gate = self.add_layer(
            ChannelGate2D, "key_channel_gate", input_shape
        )
        self.mixing_kernel, self.mixing_bias = self.add_depthwise(
            "mixing", self.kernel_size, channels
        )
        self.output_kernel, self.output_bias = self.add_depthwise(
            "output", self.kernel_size, channels
        )

    def call(self, inputs, training=None):
        """Returns the values, gated by the sum of query and key.

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
        projected = self.pointwise(inputs, self.projection_kernel)
        query, key, value = ops.split(projected, 3, self.channel_axis)
        query = self.query_spatial_gate.compute(query, training)
        query = self.query_channel_gate.compute(query)
        key = self.key_spatial_gate.compute(key, training)
        key = self.key_channel_gate.compute(key)
        mixed = self.depthwise(
            add(query, key), self.mixing_kernel, self.mixing_bias
        )
        return self.depthwise(
            ops.multiply(mixed, value), self.output_kernel, self.output_bias
        )

    def get_config(self):
        return {**super().get_config(), "kernel_size": self.kernel_size}
