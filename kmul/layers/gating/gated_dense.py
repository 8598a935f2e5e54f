import keras
from keras import ops

from kmul._contractions import linear
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._validation import check_positive_integer
from kmul._validation import check_shape
from kmul.layers._kernel_layer import KernelLayer


@keras.saving.register_keras_serializable(package="kmul")
class GatedDense(KernelLayer):
    """A dense layer times a gate: the GLU family, projections included.

    ```
    y = value ∘ gate_activation(gate)    [value, gate] = x W + b
    ```

    `gate_activation` names the member of the family: `"sigmoid"` is GLU,
    `"relu"` ReGLU, `"gelu"` GEGLU, `"silu"` SwiGLU, `None` the bilinear layer.

    Args:
        units: Positive integer, the size of the output's last axis.
        gate_activation: Activation of the gate.
        use_bias: Boolean, whether there is the bias `b`.
        kernel_initializer: Initializer of the kernels of value and gate.
        bias_initializer: Initializer of their biases.
        kernel_regularizer: Regularizer of the kernels of value and gate.
        bias_regularizer: Regularizer of their biases.
        kernel_constraint: Constraint on the kernels of value and gate.
        bias_constraint: Constraint on their biases.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, ..., features)`.

    Input shape:
        `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order: `kernel` (features, 2 · units), the value first,
    `bias` (2 · units,). Value and gate are initialized as two kernels. In the
    paper's letters value and gate are V and W, in PyTorch's
    `F.glu(nn.Linear(features, 2 * units)(x))` the linear layer holds
    `kernel.T` and `bias`.

    Masking: the mask of the input is passed on.

    Example:

    ```python
    x = keras.Input((128,))
    y = kmul.layers.GatedDense(256, gate_activation="silu")(x)  # SwiGLU
    ```

    Reference:
        - [Language Modeling with Gated Convolutional Networks (Dauphin et al.,
          2016)](https://arxiv.org/abs/1612.08083)
        - [GLU Variants Improve Transformer (Shazeer, 2020)](
          https://arxiv.org/abs/2002.05202)
    """

    def __init__(
        self,
        units,
        gate_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        units = check_positive_integer("units", units)
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
        self.units = units
        self.gate_activation = keras.activations.get(gate_activation)

    def build(self, input_shape):
        width = check_shape("GatedDense", input_shape)[-1]
        self.input_spec = fixed_width(input_shape)
        self.kernel = self.add_kernel("kernel", (width, 2 * self.units), 2)
        self.bias = self.add_bias("bias", 2 * self.units, 2)

    def call(self, inputs):
        """Returns the value times its gate.

        Args:
            inputs: Tensor of shape `(batch, ..., features)`.

        Returns:
            Tensor of shape `(batch, ..., units)`.
        """
        inputs = receive(self, inputs)
        both = linear(inputs, self.kernel, self.bias)
        value, gate = ops.split(both, 2, -1)
        return ops.multiply(value, self.gate_activation(gate))

    def compute_output_shape(self, input_shape):
        return (*check_shape("GatedDense", input_shape)[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "gate_activation": keras.activations.serialize(
                self.gate_activation
            ),
        }
