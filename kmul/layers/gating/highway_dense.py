import keras
from keras import ops

from kmul._contractions import linear
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_number
from kmul._validation import check_positive_integer
from kmul._validation import check_shape
from kmul.layers._kernel_layer import KernelLayer


@keras.saving.register_keras_serializable(package="kmul")
class HighwayDense(KernelLayer):
    """A dense layer and its input, mixed by a gate.

    ```
    y = T∘H + (1 − T)∘x
    H = activation(x W_H + b_H)    T = σ(x W_T + b_T)
    ```

    Args:
        units: Positive integer, the size of the output's last axis, or `None`
            for the width of the input. Where the two differ, the input is
            carried through a linear projection, `x P` in place of `x`.
        activation: Activation of H.
        transform_bias: Number, where the gate's bias `b_T` starts. Negative
            numbers start close to the identity.
        use_bias: Boolean, whether there are biases, `b_H` and `b_T`.
        kernel_initializer: Initializer of all kernels.
        bias_initializer: Initializer of `b_H`.
        kernel_regularizer: Regularizer of all kernels.
        bias_regularizer: Regularizer of `b_H`.
        kernel_constraint: Constraint on all kernels.
        bias_constraint: Constraint on `b_H`.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, ..., features)`.

    Input shape:
        `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order: `kernel` (features, units) and `bias` (units,) of
    H, `gate_kernel` (features, units) and `gate_bias` (units,) of T,
    `carry_kernel` P (features, units) if the widths differ. In the paper's
    order: W_H, b_H, W_T, b_T.

    Masking: the mask of the input is passed on.

    Example:

    ```python
    x = keras.Input((128,))
    y = kmul.layers.HighwayDense(128)(x)
    ```

    Reference:
        - [Highway Networks (Srivastava et al., 2015)](
          https://arxiv.org/abs/1505.00387)
    """

    def __init__(
        self,
        units=None,
        activation="relu",
        transform_bias=-2.0,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        if units is not None:
            units = check_positive_integer("units", units)
        transform_bias = check_number("transform_bias", transform_bias)
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
        self.activation = keras.activations.get(activation)
        self.transform_bias = transform_bias

    def build(self, input_shape):
        width = check_shape("HighwayDense", input_shape)[-1]
        self.input_spec = fixed_width(input_shape)
        units = width if self.units is None else self.units
        self.kernel = self.add_kernel("kernel", (width, units))
        self.bias = self.add_bias("bias", units)
        self.gate_kernel = self.add_kernel("gate_kernel", (width, units))
        self.gate_bias = None
        if self.use_bias:
            self.gate_bias = self.add_weight(
                name="gate_bias",
                shape=(units,),
                initializer=keras.initializers.Constant(self.transform_bias),
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.carry_kernel = None
        if units != width:
            self.carry_kernel = self.add_kernel("carry_kernel", (width, units))

    def call(self, inputs):
        """Returns the dense layer and its input, mixed by the gate.

        Args:
            inputs: Tensor of shape `(batch, ..., features)`.

        Returns:
            Tensor of shape `(batch, ..., units)`.
        """
        inputs = receive(self, inputs)
        dense = self.activation(linear(inputs, self.kernel, self.bias))
        gate = ops.sigmoid(linear(inputs, self.gate_kernel, self.gate_bias))
        if self.carry_kernel is not None:
            inputs = ops.matmul(inputs, self.carry_kernel)
        return add(inputs, ops.multiply(gate, ops.subtract(dense, inputs)))

    def compute_output_shape(self, input_shape):
        shape = check_shape("HighwayDense", input_shape)
        return shape if self.units is None else (*shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "transform_bias": self.transform_bias,
        }
