import math

import keras
from keras import ops

from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_data_format
from kmul.layers._kernel_layer import KernelLayer


@keras.saving.register_keras_serializable(package="kmul")
class SpatialGatingUnit(KernelLayer):
    """Half of the channels times a mix of the positions of the other half.

    ```
    y = u ∘ (W norm(v) + b)    [u, v] = x
    ```

    W is a matrix over positions, the same for all channels, and b one number a
    position; norm is a layer normalization of the channels. W starts near 0 and
    b at 1, so that the layer starts as the identity of u. Where positions have
    several axes, as in images, W runs over all of them as one.

    Args:
        data_format: `"channels_last"` or `"channels_first"`, the image data
            format of the Keras configuration by default.
        use_bias: Boolean, whether there is a bias.
        kernel_initializer: Initializer of W. None is a normal distribution of
            standard deviation 1e-6.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of W.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on W.
        bias_constraint: Constraint on the bias.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, ..., channels)`, or
            `(batch, channels, ...)` for channels first.
        mask: Boolean tensor of shape `(batch, ...)`, false where positions
            change no other; channels last only.

    Input shape:
        `(batch, ..., channels)` or `(batch, channels, ...)`, of rank 3 or more,
        with an even number of channels. Positions are weighted one by one, so
        that their number should be known: pad sequences to one length.

    Output shape:
        As the input's, with half of the channels.

    Weights, in this order: `kernel` W (positions, positions), not transposed,
    and `bias` b (positions,), the original's projection; and those of the
    sublayer `normalization`.

    Masking: the mask of the input is passed on.

    Example: a block of gMLP.

    ```python
    x = keras.Input((50, 64))
    y = keras.layers.LayerNormalization()(x)
    y = keras.layers.Dense(256, activation="gelu")(y)
    y = kmul.layers.SpatialGatingUnit()(y)  # (batch, 50, 128)
    y = keras.layers.Add()([keras.layers.Dense(64)(y), x])
    ```

    Reference:
        - [Pay Attention to MLPs (Liu et al., 2021)](
          https://arxiv.org/abs/2105.08050)
    """

    def __init__(
        self,
        data_format=None,
        use_bias=True,
        kernel_initializer=None,
        bias_initializer="ones",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        data_format = check_data_format(data_format)
        if kernel_initializer is None:
            kernel_initializer = keras.initializers.RandomNormal(stddev=1e-6)
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
        self.data_format = data_format

    def build(self, input_shape):
        *sizes, channels = self._sizes(input_shape)
        self.sizes = (*sizes, channels)
        rank = len(input_shape)
        self.input_spec = keras.layers.InputSpec(
            ndim=rank, axes={i: input_shape[i] for i in range(1, rank)}
        )
        positions = math.prod(sizes)
        self.kernel = self.add_kernel("kernel", (positions, positions))
        self.bias = self.add_bias("bias", positions)
        self.normalize = keras.layers.LayerNormalization(
            epsilon=1e-6, dtype=self.dtype_policy, name="normalization"
        )
        self.normalize.build((None, positions, channels // 2))

    def call(self, inputs, mask=None):
        """Returns half of the channels times a mix of the other half.

        Args:
            inputs: Tensor of shape `(batch, ..., channels)`, or
                `(batch, channels, ...)` for channels first.
            mask: Boolean tensor of shape `(batch, ...)`, or None.

        Returns:
            Tensor as `inputs`, with half of the channels.
        """
        inputs = receive(self, inputs)
        # Those of the input may be tensors while exporting.
        *sizes, channels = self.sizes
        if self.data_format == "channels_first":
            inputs = ops.moveaxis(inputs, 1, -1)
            mask = None
        inputs = ops.reshape(inputs, (-1, math.prod(sizes), channels))
        value, gate = ops.split(inputs, 2, axis=-1)
        gate = self.normalize(gate)
        if mask is not None:
            mask = ops.reshape(ops.cast(mask, "bool"), (-1, gate.shape[1], 1))
            gate = ops.where(mask, gate, ops.zeros_like(gate))
        gate = ops.matmul(self.kernel, gate)
        if self.use_bias:
            gate = add(gate, ops.expand_dims(self.bias, -1))
        outputs = ops.multiply(value, gate)
        outputs = ops.reshape(outputs, (-1, *sizes, channels // 2))
        if self.data_format == "channels_first":
            outputs = ops.moveaxis(outputs, -1, 1)
        return outputs

    def compute_output_shape(self, input_shape):
        *sizes, channels = self._sizes(input_shape)
        half = channels // 2
        if self.data_format == "channels_first":
            return (input_shape[0], half, *sizes)
        return (input_shape[0], *sizes, half)

    def _sizes(self, shape):
        """Returns the sizes of a sample's axes, channels last."""
        sizes = list(shape[1:])
        if self.data_format == "channels_first":
            sizes = [*sizes[1:], *sizes[:1]]
        if len(sizes) < 2 or None in sizes or sizes[-1] % 2:
            raise ValueError(
                "`SpatialGatingUnit` should be called on inputs of rank 3 or "
                "more with an even number of channels, "
                f"{self.data_format}, and with a defined size of every axis "
                f"but the first. Received: input_shape={tuple(shape)}"
            )
        return sizes

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}
