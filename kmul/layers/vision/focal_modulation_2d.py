import keras
from keras import ops

from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_boolean
from kmul._validation import check_positive_integer
from kmul.layers.vision._base import ImageLayer


@keras.saving.register_keras_serializable(package="kmul")
class FocalModulation2D(ImageLayer):
    """A query at each pixel times its context, gathered level by level.

    ```
    [q, c₀, g] = F x
    c_l = gelu(DW_l c_{l−1})                     l = 1, ..., L
    m = Σ_l g_l c_l + g_{L+1} gelu(mean c_L)     g_l is one number a pixel
    y = P norm(q ∘ (H m))
    ```

    DW_l is a depthwise convolution of size `kernel_size` + 2 (l − 1), without a
    bias. The mean is over all pixels. There is no norm unless it is asked for.
    The context is summed before it meets the query, so that the cost is linear
    in the number of pixels, where attention's is quadratic.

    Args:
        levels: Positive integer L, the number of levels of context beside the
            global one. FocalNet has 2 or 3.
        kernel_size: Positive integer, of the first level's convolution.
        divide_by_levels: Boolean, whether m is divided by L + 1, as in the
            larger of the original networks.
        normalization: Boolean, whether there is a layer normalization before P,
            as in the same.
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

    Weights, in this order, with the original's names: `input_kernel` Fᵀ
    (channels, 2 · channels + L + 1) and `input_bias`, f; `context_l_kernel`
    (size, size, channels, 1), focal_layers; `modulator_kernel` Hᵀ (channels,
    channels) and `modulator_bias`, h; `output_kernel` Pᵀ (channels, channels)
    and `output_bias`, proj; and those of the sublayer `normalization`, ln.
    Torch's depthwise kernels are transposed by (2, 3, 0, 1).

    Example:

    ```python
    x = keras.Input((32, 32, 64))
    y = kmul.layers.FocalModulation2D(levels=2)(x)  # (batch, 32, 32, 64)
    ```

    Reference:
        - [Focal Modulation Networks (Yang et al., 2022)](
          https://arxiv.org/abs/2203.11926)
    """

    def __init__(
        self,
        levels=2,
        kernel_size=3,
        divide_by_levels=False,
        normalization=False,
        kernel_initializer="lecun_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        data_format=None,
        **kwargs,
    ):
        levels = check_positive_integer("levels", levels)
        kernel_size = check_positive_integer("kernel_size", kernel_size)
        divide_by_levels = check_boolean("divide_by_levels", divide_by_levels)
        normalization = check_boolean("normalization", normalization)
        super().__init__(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
            data_format=data_format,
            **kwargs,
        )
        self.levels = levels
        self.kernel_size = kernel_size
        self.divide_by_levels = divide_by_levels
        self.normalization = normalization

    def build_weights(self, input_shape, channels):
        self.input_weights = self.add_pointwise(
            "input", channels, 2 * channels + self.levels + 1
        )
        self.contexts = [
            self.add_depthwise(
                f"context_{level + 1}",
                self.kernel_size + 2 * level,
                channels,
                bias=False,
            )
            for level in range(self.levels)
        ]
        self.modulator = self.add_pointwise("modulator", channels, channels)
        self.output_weights = self.add_pointwise("output", channels, channels)
        self.normalize = None
        if self.normalization:
            self.normalize = keras.layers.LayerNormalization(
                epsilon=1e-5, dtype=self.dtype_policy, name="normalization"
            )
            self.normalize.build((None, None, None, channels))

    def call(self, inputs):
        """Returns the queries times their context.

        Args:
            inputs: Tensor of shape `(batch, height, width, channels)`, or
                `(batch, channels, height, width)` for channels first.

        Returns:
            Tensor of the shape of `inputs`.
        """
        images = receive(self, inputs)
        axis = self.channel_axis
        channels = images.shape[axis]
        images = self.pointwise(images, *self.input_weights)
        query, context, gates = ops.split(
            images, [channels, 2 * channels], axis
        )
        gates = ops.split(gates, self.levels + 1, axis)
        modulator = None
        for weights, gate in zip(self.contexts, gates[:-1], strict=True):
            context = keras.activations.gelu(self.depthwise(context, *weights))
            each = ops.multiply(context, gate)
            modulator = each if modulator is None else add(modulator, each)
        everywhere = ops.mean(context, self.image_axes, keepdims=True)
        everywhere = keras.activations.gelu(everywhere)
        modulator = add(modulator, ops.multiply(everywhere, gates[-1]))
        if self.divide_by_levels:
            modulator = ops.divide(modulator, self.levels + 1)
        outputs = ops.multiply(
            query, self.pointwise(modulator, *self.modulator)
        )
        if self.normalize is not None:
            # On torch `LayerNormalization` fails along any axis but the last.
            outputs = ops.moveaxis(outputs, axis, -1)
            outputs = ops.moveaxis(self.normalize(outputs), -1, axis)
        return self.pointwise(outputs, *self.output_weights)

    def get_config(self):
        return {
            **super().get_config(),
            "levels": self.levels,
            "kernel_size": self.kernel_size,
            "divide_by_levels": self.divide_by_levels,
            "normalization": self.normalization,
        }
