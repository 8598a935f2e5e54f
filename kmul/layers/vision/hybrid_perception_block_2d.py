import keras
from keras import ops

from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_positive_integer
from kmul.layers.vision._base import ImageLayer
from kmul.layers.vision.strip_self_attention_2d import StripSelfAttention2D


@keras.saving.register_keras_serializable(package="kmul")
class HybridPerceptionBlock2D(ImageLayer):
    """The block of S2AFormer: convolutions, strip self-attention, an MLP.

    ```
    h = x + D * x
    h = h + StripSelfAttention2D(LN(h))
    h = h + L' * gelu(BN(L * LN(h)))           local interaction
    y = h + F gelu(E LN(h))
    ```

    Biases are left out. `D *`, `L *` and `L' *` are depthwise convolutions; LN
    normalizes each position over its channels, BN is batch normalization, gelu
    the exact one. E multiplies the channels by `expansion`, F reduces them
    again.

    No code of the authors was found. The four lines are the paper's, but it
    does not spell out the local interaction, which is assumed to be that of
    XCiT. Assumed besides: kernels of 3×3, gelu, an `expansion` of 4, and all
    of `StripSelfAttention2D` that is assumed there. There are no named
    variants, as nothing public says how wide and deep they are.

    Args:
        num_heads: Positive integer, of which the channels are a multiple.
        key_dim: Positive integer, the channels of each head's queries and
            keys.
        reduction: Positive integer, as for `StripSelfAttention2D`.
        expansion: Positive integer, the width of the hidden layer between E
            and F is that of the input times `expansion`.
        kernel_size: Positive integer, of D, L and L'.
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

    Weights, the kernels of 1×1 convolutions transposed: `position_kernel` D,
    `local_in_kernel` L, `local_out_kernel` L', `mlp_in_kernel` E,
    `mlp_out_kernel` F, each with a bias, `position_bias` for example;
    `normalization_1_gamma` and `normalization_1_beta` (channels,), and two more
    such pairs; and those of the sublayers `attention` and
    `local_normalization`.

    Masking: Keras masks are not used.

    Example:

    ```python
    x = keras.Input((28, 28, 64))
    layer = kmul.layers.HybridPerceptionBlock2D(num_heads=2, reduction=4)
    y = layer(x)  # (batch, 28, 28, 64)
    ```

    Reference:
        - [S2AFormer: Strip Self-Attention for Efficient Vision Transformer (Xu
          et al., 2025)](https://arxiv.org/abs/2505.22195)
        - [XCiT: Cross-Covariance Image Transformers (El-Nouby et al., 2021)](
          https://arxiv.org/abs/2106.09681)
    """

    def __init__(
        self,
        num_heads=1,
        key_dim=1,
        reduction=2,
        expansion=4,
        kernel_size=3,
        kernel_initializer="lecun_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        data_format=None,
        **kwargs,
    ):
        num_heads = check_positive_integer("num_heads", num_heads)
        key_dim = check_positive_integer("key_dim", key_dim)
        reduction = check_positive_integer("reduction", reduction)
        expansion = check_positive_integer("expansion", expansion)
        kernel_size = check_positive_integer("kernel_size", kernel_size)
        super().__init__(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
            data_format=data_format,
            **kwargs,
        )
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.reduction = reduction
        self.expansion = expansion
        self.kernel_size = kernel_size

    def build_weights(self, input_shape, channels):
        size, hidden = self.kernel_size, self.expansion * channels
        self.position = self.add_depthwise("position", size, channels)
        self.normalization_1 = self._add_layer_normalization(1, channels)
        self.attention = self.add_layer(
            StripSelfAttention2D,
            "attention",
            input_shape,
            num_heads=self.num_heads,
            key_dim=self.key_dim,
            reduction=self.reduction,
        )
        self.normalization_2 = self._add_layer_normalization(2, channels)
        self.local_in = self.add_depthwise("local_in", size, channels)
        self.local_normalization = self.add_normalization(
            "local_normalization", input_shape
        )
        self.local_out = self.add_depthwise("local_out", size, channels)
        self.normalization_3 = self._add_layer_normalization(3, channels)
        self.mlp_in = self.add_pointwise("mlp_in", channels, hidden)
        self.mlp_out = self.add_pointwise("mlp_out", hidden, channels)

    def _add_layer_normalization(self, number, channels):
        return [
            self.add_weight(
                name=f"normalization_{number}_{name}",
                shape=(channels,),
                initializer=initializer,
            )
            for name, initializer in (("gamma", "ones"), ("beta", "zeros"))
        ]

    def _normalize(self, normalization, images):
        """Returns images, each position of which is normalized.

        On torch Keras normalizes the last axis alone, so the channels are
        brought there.
        """
        first = self.data_format == "channels_first"
        if first:
            images = ops.transpose(images, (0, 2, 3, 1))
        images = ops.layer_normalization(images, *normalization, epsilon=1e-6)
        return ops.transpose(images, (0, 3, 1, 2)) if first else images

    def call(self, inputs, training=None):
        """Returns the images after the block's parts, each added to its input.

        Args:
            inputs: Tensor of shape `(batch, height, width, channels)`, or
                `(batch, channels, height, width)` for channels first.
            training: Boolean, whether the normalization uses the batch's own
                mean and variance.

        Returns:
            Tensor of the shape of `inputs`.
        """
        inputs = receive(self, inputs)
        hidden = add(inputs, self.depthwise(inputs, *self.position))
        normal = self._normalize(self.normalization_1, hidden)
        hidden = add(hidden, self.attention.compute(normal))
        local = self._normalize(self.normalization_2, hidden)
        local = self.depthwise(local, *self.local_in)
        local = self.local_normalization(local, training=training)
        local = ops.gelu(local, approximate=False)
        hidden = add(hidden, self.depthwise(local, *self.local_out))
        mlp = self._normalize(self.normalization_3, hidden)
        mlp = self.pointwise(mlp, *self.mlp_in)
        mlp = ops.gelu(mlp, approximate=False)
        return add(hidden, self.pointwise(mlp, *self.mlp_out))

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "reduction": self.reduction,
            "expansion": self.expansion,
            "kernel_size": self.kernel_size,
        }
