import keras
from keras import ops

from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_positive_integer
from kmul._validation import check_rate
from kmul._validation import check_seed
from kmul.layers.vision._base import ImageLayer
from kmul.layers.vision.stochastic_depth import StochasticDepth


@keras.saving.register_keras_serializable(package="kmul")
class StarBlock2D(ImageLayer):
    """A residual block around the product of two projections (star operation).

    ```
    h = norm(DW x)
    y = x + drop(DW'(norm(G (act(F₁ h) ∘ F₂ h))))
    ```

    DW and DW' are depthwise convolutions, the others mix the channels of a
    pixel. But for `act`, every unit of the product is a sum over all pairs of
    channels, and after l blocks one over products of 2ˡ of them.

    Args:
        ratio: Positive integer; F₁ h and F₂ h have `ratio` times the channels.
        kernel_size: Positive integer, of the depthwise convolutions.
        activation: Activation `act`.
        drop_rate: Number in [0, 1), the probability that the branch of a
            sample is dropped in training, as in `StochasticDepth`.
        seed: Integer or None, the seed of what is dropped.
        kernel_initializer: Initializer of all kernels.
        kernel_regularizer: Regularizer of all kernels.
        kernel_constraint: Constraint on all kernels.
        data_format: `"channels_last"` or `"channels_first"`, the image data
            format of the Keras configuration by default.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.
        training: Boolean, for normalization and stochastic depth.

    Input shape:
        `(batch, height, width, channels)`, or `(batch, channels, height,
        width)` for channels first, of any height and width.

    Output shape:
        That of the input.

    Weights, in this order, with the original's names: `depthwise_1_kernel`
    (kernel_size, kernel_size, channels, 1) and `depthwise_1_bias`, dwconv.conv;
    `factor_i_kernel` F_iᵀ (channels, ratio · channels) and `factor_i_bias` for
    i = 1, 2, f1 and f2; `output_kernel` Gᵀ (ratio · channels, channels) and
    `output_bias`, g.conv; `depthwise_2_kernel` and `depthwise_2_bias`, dwconv2;
    and those of the sublayers `normalization_1` and `normalization_2`,
    dwconv.bn and g.bn. Torch's depthwise kernels are transposed by (2, 3, 0,
    1).

    Example:

    ```python
    x = keras.Input((32, 32, 24))
    y = kmul.layers.StarBlock2D(drop_rate=0.1)(x)  # (batch, 32, 32, 24)
    ```

    Reference:
        - [Rewrite the Stars (Ma et al., 2024)](
          https://arxiv.org/abs/2403.19967)
    """

    def __init__(
        self,
        ratio=4,
        kernel_size=7,
        activation="relu6",
        drop_rate=0.0,
        seed=None,
        kernel_initializer="lecun_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        data_format=None,
        **kwargs,
    ):
        ratio = check_positive_integer("ratio", ratio)
        kernel_size = check_positive_integer("kernel_size", kernel_size)
        drop_rate = check_rate("drop_rate", drop_rate)
        seed = check_seed(seed)
        super().__init__(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
            data_format=data_format,
            **kwargs,
        )
        self.ratio = ratio
        self.kernel_size = kernel_size
        self.activation = keras.activations.get(activation)
        self.drop_rate = drop_rate
        self.seed = seed
        self.drop = StochasticDepth(
            drop_rate, seed=seed, dtype=self.dtype_policy, name="drop"
        )

    def build_weights(self, input_shape, channels):
        hidden = self.ratio * channels
        size = self.kernel_size
        self.depthwise_1 = self.add_depthwise("depthwise_1", size, channels)
        self.factors = [
            self.add_pointwise(f"factor_{i}", channels, hidden) for i in (1, 2)
        ]
        self.output_weights = self.add_pointwise("output", hidden, channels)
        self.depthwise_2 = self.add_depthwise("depthwise_2", size, channels)
        self.normalization_1, self.normalization_2 = (
            self.add_normalization(f"normalization_{i}", input_shape)
            for i in (1, 2)
        )
        self.drop.build(input_shape)

    def call(self, inputs, training=None):
        """Returns the images plus the product of two projections.

        Args:
            inputs: Tensor of shape `(batch, height, width, channels)`, or
                `(batch, channels, height, width)` for channels first.
            training: Boolean, for normalization and stochastic depth.

        Returns:
            Tensor of the shape of `inputs`.
        """
        inputs = receive(self, inputs)
        hidden = self.depthwise(inputs, *self.depthwise_1)
        hidden = self.normalization_1(hidden, training=training)
        first, second = (
            self.pointwise(hidden, *weights) for weights in self.factors
        )
        product = ops.multiply(self.activation(first), second)
        outputs = self.pointwise(product, *self.output_weights)
        outputs = self.normalization_2(outputs, training=training)
        outputs = self.depthwise(outputs, *self.depthwise_2)
        return add(inputs, self.drop(outputs, training=training))

    def get_config(self):
        return {
            **super().get_config(),
            "ratio": self.ratio,
            "kernel_size": self.kernel_size,
            "activation": keras.activations.serialize(self.activation),
            "drop_rate": self.drop_rate,
            "seed": self.seed,
        }
