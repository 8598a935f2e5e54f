import keras
from keras import ops

from kmul._inputs import receive
from kmul._validation import check_number
from kmul._validation import check_positive_integer
from kmul.layers.vision._base import ImageLayer


@keras.saving.register_keras_serializable(package="kmul")
class GatedRecursiveConv2D(ImageLayer):
    """Products of as many neighbourhoods as its order (gⁿConv).

    ```
    [p, q] = A x              [q₁, ..., q_n] = scale · DW(q)
    p₁ = p ∘ q₁               p_k = (W_k p_{k−1}) ∘ q_k
    y = C p_n
    ```

    DW is a depthwise convolution. p and q₁ are of ⌊channels / 2ⁿ⁻¹⌋ channels,
    and each q_k has twice as many as the one before, up to all of them: higher
    orders cost hardly more.

    Args:
        order: Positive integer n. HorNet has 2, 3, 4 and 5 in its four stages.
        kernel_size: Positive integer, of the depthwise convolution.
        scale: Number that DW's output is multiplied by, 1/3 in HorNet.
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
        width)` for channels first, of any height and width and at least 2ⁿ⁻¹
        channels.

    Output shape:
        That of the input.

    Weights, in this order, with the original's names: `input_kernel` Aᵀ
    (channels, 2 · channels, or fewer where halves are rounded) and
    `input_bias`, proj_in; `depthwise_kernel` (kernel_size, kernel_size, width
    of q, 1) and `depthwise_bias`, dwconv; `step_k_kernel` W_kᵀ and
    `step_k_bias` for k = 2, ..., n, pws; `output_kernel` Cᵀ (channels,
    channels) and `output_bias`, proj_out. Torch's depthwise kernel is
    transposed by (2, 3, 0, 1).

    Example:

    ```python
    x = keras.Input((32, 32, 64))
    y = kmul.layers.GatedRecursiveConv2D(order=3)(x)  # (batch, 32, 32, 64)
    ```

    Reference:
        - [HorNet: Efficient High-Order Spatial Interactions with Recursive
          Gated Convolutions (Rao et al., 2022)](
          https://arxiv.org/abs/2207.14284)
    """

    def __init__(
        self,
        order=3,
        kernel_size=7,
        scale=1.0,
        kernel_initializer="lecun_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        data_format=None,
        **kwargs,
    ):
        order = check_positive_integer("order", order)
        kernel_size = check_positive_integer("kernel_size", kernel_size)
        scale = check_number("scale", scale)
        super().__init__(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
            data_format=data_format,
            **kwargs,
        )
        self.order = order
        self.kernel_size = kernel_size
        self.scale = scale

    def build_weights(self, input_shape, channels):
        widths = self._widths(channels)
        self.input_weights = self.add_pointwise(
            "input", channels, widths[0] + sum(widths)
        )
        self.depthwise_weights = self.add_depthwise(
            "depthwise", self.kernel_size, sum(widths)
        )
        self.steps = [
            self.add_pointwise(f"step_{k + 2}", widths[k], widths[k + 1])
            for k in range(self.order - 1)
        ]
        self.output_weights = self.add_pointwise("output", channels, channels)

    def call(self, inputs):
        """Returns the product of several neighbourhoods.

        Args:
            inputs: Tensor of shape `(batch, height, width, channels)`, or
                `(batch, channels, height, width)` for channels first.

        Returns:
            Tensor of the shape of `inputs`.
        """
        images = receive(self, inputs)
        axis = self.channel_axis
        widths = self._widths(images.shape[axis])
        images = self.pointwise(images, *self.input_weights)
        product, factors = ops.split(images, widths[:1], axis)
        factors = self.depthwise(factors, *self.depthwise_weights)
        if self.scale != 1:
            factors = ops.multiply(factors, self.scale)
        ends = [sum(widths[:k]) for k in range(1, self.order)]
        # Torch can't split at no place.
        first, *others = ops.split(factors, ends, axis) if ends else [factors]
        product = ops.multiply(product, first)
        for weights, factor in zip(self.steps, others, strict=True):
            product = ops.multiply(self.pointwise(product, *weights), factor)
        return self.pointwise(product, *self.output_weights)

    def compute_output_shape(self, input_shape):
        shape = super().compute_output_shape(input_shape)
        fewest = 2 ** (self.order - 1)
        if shape[self.channel_axis] < fewest:
            raise ValueError(
                f"`GatedRecursiveConv2D` of order {self.order} should have at "
                f"least {fewest} channels. Received: input_shape={shape}"
            )
        return shape

    def _widths(self, channels):
        """Returns the number of channels of q₁, ..., q_n."""
        return [channels // 2**k for k in reversed(range(self.order))]

    def get_config(self):
        return {
            **super().get_config(),
            "order": self.order,
            "kernel_size": self.kernel_size,
            "scale": self.scale,
        }
