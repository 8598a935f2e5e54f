import keras
from keras import ops

from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_positive_integer
from kmul._validation import check_rate
from kmul._validation import check_seed
from kmul.layers.vision._base import ImageLayer
from kmul.layers.vision.additive_token_mixer_2d import AdditiveTokenMixer2D
from kmul.layers.vision.stochastic_depth import StochasticDepth


@keras.saving.register_keras_serializable(package="kmul")
class AdditiveBlock2D(ImageLayer):
    """The block of CAS-ViT: a transformer's, without any softmax.

    ```
    h = x + B gelu(D * BN(A x))                local perception
    h = h + drop(AdditiveTokenMixer2D(BN(h)))
    y = h + drop(F gelu(E BN(h)))
    ```

    Biases are left out. A and B keep the channels, E multiplies them by
    `expansion` and F reduces them again. `D *` is a depthwise convolution, BN
    batch normalization, gelu the exact one, and drop is `StochasticDepth`.

    Args:
        expansion: Positive integer, the width of the hidden layer between E
            and F is that of the input times `expansion`.
        drop_rate: Number in [0, 1), the rate of the stochastic depth.
        kernel_size: Positive integer, of all depthwise convolutions.
        seed: Integer or None, the seed of the stochastic depth.
        kernel_initializer: Initializer of all kernels.
        kernel_regularizer: Regularizer of all kernels.
        kernel_constraint: Constraint on all kernels.
        data_format: `"channels_last"` or `"channels_first"`, the image data
            format of the Keras configuration by default.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor, images.
        training: Boolean, for the normalization and the stochastic depth.

    Input shape:
        `(batch, height, width, channels)`, or `(batch, channels, height,
        width)` for channels first.

    Output shape:
        That of the input.

    Weights, the kernels of 1×1 convolutions transposed: `local_in_kernel` A,
    `local_depthwise_kernel` D, `local_out_kernel` B, `mlp_in_kernel` E,
    `mlp_out_kernel` F, each with a bias, `local_in_bias` for example; and those
    of the sublayers `local_normalization`, `normalization_1`, `mixer` and
    `normalization_2`.

    Masking: Keras masks are not used.

    Example:

    ```python
    x = keras.Input((32, 32, 64))
    y = kmul.layers.AdditiveBlock2D(drop_rate=0.1)(x)  # (batch, 32, 32, 64)
    ```

    Reference:
        - [CAS-ViT: Convolutional Additive Self-attention Vision Transformers
          for Efficient Mobile Applications (Zhang et al., 2024)](
          https://arxiv.org/abs/2408.03703)
    """

    def __init__(
        self,
        expansion=4,
        drop_rate=0.0,
        kernel_size=3,
        seed=None,
        kernel_initializer="lecun_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        data_format=None,
        **kwargs,
    ):
        expansion = check_positive_integer("expansion", expansion)
        drop_rate = check_rate("drop_rate", drop_rate)
        kernel_size = check_positive_integer("kernel_size", kernel_size)
        seed = check_seed(seed)
        super().__init__(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
            data_format=data_format,
            **kwargs,
        )
        self.expansion = expansion
        self.drop_rate = drop_rate
        self.kernel_size = kernel_size
        self.seed = seed
        self.stochastic_depth = StochasticDepth(
            drop_rate, seed, dtype=self.dtype_policy, name="stochastic_depth"
        )

    def build_weights(self, input_shape, channels):
        hidden = self.expansion * channels
        self.local_in = self.add_pointwise("local_in", channels, channels)
        self.local_normalization = self.add_normalization(
            "local_normalization", input_shape
        )
        self.local_depthwise = self.add_depthwise(
            "local_depthwise", self.kernel_size, channels
        )
        self.local_out = self.add_pointwise("local_out", channels, channels)
        self.normalization_1 = self.add_normalization(
            "normalization_1", input_shape
        )
        self.mixer = self.add_layer(
            AdditiveTokenMixer2D,
            "mixer",
            input_shape,
            kernel_size=self.kernel_size,
        )
        self.normalization_2 = self.add_normalization(
            "normalization_2", input_shape
        )
        self.mlp_in = self.add_pointwise("mlp_in", channels, hidden)
        self.mlp_out = self.add_pointwise("mlp_out", hidden, channels)

    def call(self, inputs, training=None):
        """Returns the images after the block's parts, each added to its input.

        Args:
            inputs: Tensor of shape `(batch, height, width, channels)`, or
                `(batch, channels, height, width)` for channels first.
            training: Boolean, whether the normalization uses the batch's own
                mean and variance, and samples skip the block at random.

        Returns:
            Tensor of the shape of `inputs`.
        """
        inputs = receive(self, inputs)
        local = self.pointwise(inputs, *self.local_in)
        local = self.local_normalization(local, training=training)
        local = self.depthwise(local, *self.local_depthwise)
        local = ops.gelu(local, approximate=False)
        hidden = add(inputs, self.pointwise(local, *self.local_out))
        mixed = self.normalization_1(hidden, training=training)
        mixed = self.mixer.compute(mixed, training)
        hidden = add(hidden, self._drop(mixed, training))
        mlp = self.normalization_2(hidden, training=training)
        mlp = self.pointwise(mlp, *self.mlp_in)
        mlp = ops.gelu(mlp, approximate=False)
        mlp = self.pointwise(mlp, *self.mlp_out)
        return add(hidden, self._drop(mlp, training))

    def _drop(self, branch, training):
        if not training or self.drop_rate == 0:
            return branch
        return self.stochastic_depth(branch, training=training)

    def get_config(self):
        return {
            **super().get_config(),
            "expansion": self.expansion,
            "drop_rate": self.drop_rate,
            "kernel_size": self.kernel_size,
            "seed": self.seed,
        }
