import keras
from keras import ops

from kmul._contractions import linear
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._validation import check_data_format
from kmul._validation import check_positive_integer
from kmul._validation import check_shape
from kmul.layers._kernel_layer import KernelLayer


@keras.saving.register_keras_serializable(package="kmul")
class SqueezeExcite(KernelLayer):
    """Scales channels by gates computed from their global means.

    ```
    y = x ∘ σ(W₂ relu(W₁ GAP(x) + b₁) + b₂)
    ```

    where GAP is the mean over all axes between batch and channels (none for
    inputs of rank 2, which are gated by themselves).

    Args:
        ratio: Positive integer; the hidden layer has one `ratio`-th of the
            channels, at least one.
        data_format: `"channels_last"` or `"channels_first"`, the image data
            format of the Keras configuration by default.
        use_bias: Boolean, whether there are biases.
        kernel_initializer: Initializer of both kernels.
        bias_initializer: Initializer of both biases.
        kernel_regularizer: Regularizer of both kernels.
        bias_regularizer: Regularizer of both biases.
        kernel_constraint: Constraint on both kernels.
        bias_constraint: Constraint on both biases.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, ..., channels)`, or
            `(batch, channels, ...)` for channels first.
        mask: Boolean tensor of shape `(batch, ...)`, false where positions are
            left out of the mean; channels last only.

    Input shape:
        `(batch, ..., channels)` or `(batch, channels, ...)`, of rank 2 or more.

    Output shape:
        That of the input.

    Weights, in this order: `squeeze_kernel` W₁ᵀ (channels, hidden),
    `squeeze_bias` (hidden,), `excite_kernel` W₂ᵀ (hidden, channels),
    `excite_bias` (channels,); the transposes of the original's two
    fully-connected layers in their order.

    Masking: the mask of the input is passed on.

    Example:

    ```python
    x = keras.Input((32, 32, 64))
    y = kmul.layers.SqueezeExcite(ratio=16)(x)  # (batch, 32, 32, 64)
    ```

    Reference:
        - [Squeeze-and-Excitation Networks (Hu et al., 2017)](
          https://arxiv.org/abs/1709.01507)
    """

    def __init__(
        self,
        ratio=16,
        data_format=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        ratio = check_positive_integer("ratio", ratio)
        data_format = check_data_format(data_format)
        super().__init__(
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.ratio = ratio
        self.data_format = data_format

    def build(self, input_shape):
        axis, _ = self._axes(input_shape)
        self.input_spec = fixed_width(input_shape, axis)
        channels = input_shape[axis]
        hidden = max(1, channels // self.ratio)
        self.squeeze_kernel = self.add_kernel(
            "squeeze_kernel", (channels, hidden)
        )
        self.squeeze_bias = self.add_bias("squeeze_bias", hidden)
        self.excite_kernel = self.add_kernel(
            "excite_kernel", (hidden, channels)
        )
        self.excite_bias = self.add_bias("excite_bias", channels)

    def call(self, inputs, mask=None):
        """Returns the inputs, each channel times its gate.

        Args:
            inputs: Tensor of shape `(batch, ..., channels)`, or
                `(batch, channels, ...)` for channels first.
            mask: Boolean tensor of shape `(batch, ...)`, false where positions
                are left out of the mean; channels last only.

        Returns:
            Tensor of the shape of `inputs`.
        """
        inputs = receive(self, inputs)
        axis, others = self._axes(tuple(inputs.shape))
        mean = inputs
        if others and mask is not None and axis != 1:
            mask = ops.expand_dims(ops.cast(mask, "bool"), -1)
            count = ops.cast(mask, inputs.dtype)
            count = ops.sum(count, others, keepdims=True)
            # Divided before they are summed, for half precision's sake.
            share = ops.divide(inputs, ops.maximum(count, 1))
            mean = ops.sum(ops.where(mask, share, 0), others)
        elif others:
            mean = ops.mean(inputs, others)
        hidden = ops.relu(linear(mean, self.squeeze_kernel, self.squeeze_bias))
        gate = ops.sigmoid(linear(hidden, self.excite_kernel, self.excite_bias))
        return ops.multiply(inputs, ops.expand_dims(gate, others))

    def compute_output_shape(self, input_shape):
        self._axes(input_shape)
        return tuple(input_shape)

    def _axes(self, shape):
        """Returns the axis of the channels, and those that are averaged."""
        rank = len(shape)
        if self.data_format == "channels_last":
            check_shape("SqueezeExcite", shape)
            return rank - 1, tuple(range(1, rank - 1))
        check_shape("SqueezeExcite", (shape[0], *shape[2:], *shape[1:2]))
        return 1, tuple(range(2, rank))

    def get_config(self):
        return {
            **super().get_config(),
            "ratio": self.ratio,
            "data_format": self.data_format,
        }
