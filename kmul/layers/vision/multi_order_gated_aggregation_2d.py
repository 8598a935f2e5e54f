import keras
from keras import ops

from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_number
from kmul.layers.vision._base import ImageLayer


@keras.saving.register_keras_serializable(package="kmul")
class MultiOrderGatedAggregation2D(ImageLayer):
    """Neighbourhoods of three sizes times gates, beside the input (Moga).

    ```
    h = A x                          h' = act(h + γ ∘ (h − mean h))
    [r, s, t] = DW₅(h')              v = V [r, DW₅,₂(s), DW₇,₃(t)]
    y = x + P (act(G h') ∘ act(v))
    ```

    DW₅ is a depthwise convolution of size 5, DW₅,₂ one of size 5 and dilation
    2, DW₇,₃ one of size 7 and dilation 3. s has three eighths of the channels,
    t a half, both rounded down, r the others. The mean is over all pixels: γ
    strengthens what differs from it.

    Args:
        activation: Activation `act`.
        initial_scale: Number, where every γ starts.
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
        width)` for channels first, of any height and width and at least three
        channels.

    Output shape:
        That of the input.

    Weights, in this order, with the original's names: `input_kernel` Aᵀ
    (channels, channels) and `input_bias`, proj_1; `scale` γ (channels,), sigma;
    `depthwise_k_kernel` (size, size, width, 1) and `depthwise_k_bias` for k =
    0, 1, 2, DW_conv0, DW_conv1 and DW_conv2; `value_kernel` Vᵀ (channels,
    channels) and `value_bias`, PW_conv; `gate_kernel` Gᵀ and `gate_bias`, gate;
    `output_kernel` Pᵀ and `output_bias`, proj_2. Torch's depthwise kernels are
    transposed by (2, 3, 0, 1).

    Example:

    ```python
    x = keras.Input((32, 32, 64))
    y = kmul.layers.MultiOrderGatedAggregation2D()(x)  # (batch, 32, 32, 64)
    ```

    Reference:
        - [MogaNet: Multi-order Gated Aggregation Network (Li et al., 2023)](
          https://arxiv.org/abs/2211.03295)
    """

    def __init__(
        self,
        activation="silu",
        initial_scale=1e-5,
        kernel_initializer="lecun_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        data_format=None,
        **kwargs,
    ):
        initial_scale = check_number("initial_scale", initial_scale)
        super().__init__(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
            data_format=data_format,
            **kwargs,
        )
        self.activation = keras.activations.get(activation)
        self.initial_scale = initial_scale

    def build_weights(self, input_shape, channels):
        second, third = 3 * channels // 8, channels // 2
        self.ends = [channels - third - second, channels - third]
        self.input_weights = self.add_pointwise("input", channels, channels)
        self.scale = self.add_weight(
            name="scale",
            shape=(channels,),
            initializer=keras.initializers.Constant(self.initial_scale),
        )
        self.orders = [
            self.add_depthwise(f"depthwise_{k}", size, width)
            for k, (size, width) in enumerate(
                [(5, channels), (5, second), (7, third)]
            )
        ]
        self.value = self.add_pointwise("value", channels, channels)
        self.gate = self.add_pointwise("gate", channels, channels)
        self.output_weights = self.add_pointwise("output", channels, channels)

    def call(self, inputs):
        """Returns the images plus gated neighbourhoods.

        Args:
            inputs: Tensor of shape `(batch, height, width, channels)`, or
                `(batch, channels, height, width)` for channels first.

        Returns:
            Tensor of the shape of `inputs`.
        """
        inputs = receive(self, inputs)
        images = self.pointwise(inputs, *self.input_weights)
        mean = ops.mean(images, self.image_axes, keepdims=True)
        shape = [1, 1, 1, 1]
        shape[self.channel_axis] = -1
        scale = ops.reshape(self.scale, shape)
        detail = ops.multiply(scale, ops.subtract(images, mean))
        images = self.activation(add(images, detail))
        value = self.activation(self._value(images))
        gate = self.activation(self.pointwise(images, *self.gate))
        product = ops.multiply(gate, value)
        return add(inputs, self.pointwise(product, *self.output_weights))

    def _value(self, images):
        first, second, third = self.orders
        images = self.depthwise(images, *first)
        parts = ops.split(images, self.ends, self.channel_axis)
        parts[1] = self.depthwise(parts[1], *second, dilation_rate=2)
        parts[2] = self.depthwise(parts[2], *third, dilation_rate=3)
        return self.pointwise(
            ops.concatenate(parts, self.channel_axis), *self.value
        )

    def compute_output_shape(self, input_shape):
        shape = super().compute_output_shape(input_shape)
        if shape[self.channel_axis] < 3:
            raise ValueError(
                "`MultiOrderGatedAggregation2D` should have at least 3 "
                f"channels. Received: input_shape={shape}"
            )
        return shape

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "initial_scale": self.initial_scale,
        }
