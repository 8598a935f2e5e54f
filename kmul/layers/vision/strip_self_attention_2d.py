import keras
from keras import ops

from kmul._inputs import receive
from kmul._validation import check_positive_integer
from kmul.layers.vision._base import ImageLayer


@keras.saving.register_keras_serializable(package="kmul")
class StripSelfAttention2D(ImageLayer):
    """Softmax attention whose queries and keys have few channels (SSA).

    ```
    s = R * x + b                               every `reduction`-th position
    y = W softmax((Q x) (K s)ᵀ / √key_dim) V s + c
    ```

    in each of `num_heads` heads. `R *` is a depthwise convolution whose kernel
    and stride are `reduction`; Q and K give `key_dim` channels a head, V all
    channels, shared among the heads. Of N positions and M = N / reduction²
    keys, the cost is N M (num_heads · key_dim + channels) and that of the
    projections, linear in N. So it grows with the square of N at one
    `reduction`, and with N itself where M stays: with a `reduction` of 8, 4, 2
    and 1 at sides of 56, 28, 14 and 7, for example.

    No code of the authors was found. The paper's text gives the strided
    depthwise convolution for K and V, few channels of Q and K, and all of V.
    Assumed here: one such convolution for both K and V; its kernel as large as
    its stride, none for a `reduction` of 1, and zeros where the image ends
    inside a window; a `key_dim` of 1, which makes Q Kᵀ an outer product; no
    bias in Q, K and V; a projection W of the output.

    Args:
        num_heads: Positive integer, of which the channels are a multiple.
        key_dim: Positive integer, the channels of each head's queries and
            keys.
        reduction: Positive integer, the sides of the keys' image are the
            input's divided by it, rounded up.
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

    Weights: `reduction_kernel` R (reduction, reduction, channels, 1) and
    `reduction_bias` b (channels,), unless `reduction` is 1; `query_kernel` Qᵀ
    and `key_kernel` Kᵀ (channels, num_heads · key_dim); `value_kernel` Vᵀ and
    `output_kernel` Wᵀ (channels, channels); `output_bias` c (channels,).

    Masking: Keras masks are not used.

    Example:

    ```python
    x = keras.Input((28, 28, 64))
    layer = kmul.layers.StripSelfAttention2D(num_heads=2, reduction=4)
    y = layer(x)  # (batch, 28, 28, 64), of 49 keys
    ```

    Reference:
        - [S2AFormer: Strip Self-Attention for Efficient Vision Transformer (Xu
          et al., 2025)](https://arxiv.org/abs/2505.22195)
    """

    def __init__(
        self,
        num_heads=1,
        key_dim=1,
        reduction=2,
        kernel_initializer="lecun_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        data_format=None,
        **kwargs,
    ):
        num_heads = check_positive_integer("num_heads", num_heads)
        key_dim = check_positive_integer("key_dim", key_dim)
        reduction = check_positive_integer("reduction", reduction)
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

    def build_weights(self, input_shape, channels):
        keys = self.num_heads * self.key_dim
        if self.reduction > 1:
            self.reduction_kernel, self.reduction_bias = self.add_depthwise(
                "reduction", self.reduction, channels
            )
        self.query_kernel = self.add_kernel("query_kernel", (channels, keys))
        self.key_kernel = self.add_kernel("key_kernel", (channels, keys))
        self.value_kernel = self.add_kernel(
            "value_kernel", (channels, channels)
        )
        self.output_kernel, self.output_bias = self.add_pointwise(
            "output", channels, channels
        )

    def call(self, inputs):
        """Returns what each pixel reads from all others.

        Args:
            inputs: Tensor of shape `(batch, height, width, channels)`, or
                `(batch, channels, height, width)` for channels first.

        Returns:
            Tensor of the shape of `inputs`.
        """
        return self.compute(receive(self, inputs))

    def compute(self, inputs):
        few = inputs
        if self.reduction > 1:
            few = self.depthwise(
                few,
                self.reduction_kernel,
                self.reduction_bias,
                strides=self.reduction,
            )
        query = self._heads(inputs, self.query_kernel)
        key = self._heads(few, self.key_kernel)
        value = self._heads(few, self.value_kernel)
        query = ops.multiply(query, self.key_dim**-0.5)
        scores = ops.matmul(query, ops.swapaxes(key, -1, -2))
        mixed = ops.matmul(ops.softmax(scores), value)
        if self.data_format == "channels_last":
            mixed = ops.transpose(mixed, (0, 2, 1, 3))
        else:
            mixed = ops.transpose(mixed, (0, 1, 3, 2))
        mixed = ops.reshape(mixed, ops.shape(inputs))
        return self.pointwise(mixed, self.output_kernel, self.output_bias)

    def _heads(self, inputs, kernel):
        """Returns a projection as (batch, heads, positions, channels)."""
        projected = self.pointwise(inputs, kernel)
        sizes = (self.num_heads, kernel.shape[-1] // self.num_heads)
        shape = ops.shape(projected)
        if self.data_format == "channels_last":
            positions = shape[1] * shape[2]
            projected = ops.reshape(projected, (shape[0], positions, *sizes))
            return ops.transpose(projected, (0, 2, 1, 3))
        positions = shape[2] * shape[3]
        projected = ops.reshape(projected, (shape[0], *sizes, positions))
        return ops.transpose(projected, (0, 1, 3, 2))

    def compute_output_shape(self, input_shape):
        shape = super().compute_output_shape(input_shape)
        if shape[self.channel_axis] % self.num_heads:
            raise ValueError(
                "The channels of `StripSelfAttention2D` should be a multiple "
                f"of its heads. Received: input_shape={shape}, "
                f"num_heads={self.num_heads}"
            )
        return shape

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "reduction": self.reduction,
        }
