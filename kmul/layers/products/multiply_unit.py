import functools

import keras
from keras import ops

from kmul._contractions import linear
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._validation import check_positive_integer
from kmul._validation import check_shapes
from kmul._validation import differ
from kmul.layers._kernel_layer import KernelLayer


@keras.saving.register_keras_serializable(package="kmul")
class MultiplyUnit(KernelLayer):
    """Multiplies linear projections of its inputs element by element.

    ```
    y = activation(((x_1 W_1 + b_1) ∘ (x_2 W_2 + b_2) ∘ …) W + b)
    ```

    where `∘` is the element-wise (Hadamard) product. Each input goes through
    its own linear dense layer of `hidden_units`; a dense layer of `units`
    contracts their product. With `hidden_units=None` the inputs are multiplied
    as they are: `y = activation((x_1 ∘ x_2 ∘ …) W + b)`.

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width in which the inputs are
            multiplied, or `None` to multiply them unprojected, which needs
            inputs of one shape.
        activation: Activation of the output, none by default.
        use_bias: Boolean, whether there are biases.
        kernel_initializer: Initializer of all kernels.
        bias_initializer: Initializer of all biases.
        kernel_regularizer: Regularizer of all kernels.
        bias_regularizer: Regularizer of all biases.
        kernel_constraint: Constraint on all kernels.
        bias_constraint: Constraint on all biases.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of two or more tensors of shape
            `(batch, ..., features)`. The axes before the last are equal; the
            last ones may differ if the inputs are projected.

    Input shape:
        List of `(batch, ..., features_i)`, of rank 2 or more.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order (i numbers the inputs from 1): `projection_i_kernel`
    (features_i, hidden_units) and `projection_i_bias` (hidden_units,) of each
    input, if it is projected; then `kernel` (hidden_units, units) and `bias`
    (units,).

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a = keras.Input((128,))
    b = keras.Input((64,))
    y = kmul.layers.MultiplyUnit(10)([a, b])  # (batch, 10)
    ```

    Reference:
        - [Incorporating element-wise multiplication can out-perform dense
          layers in neural networks (Octavian, 2018)](
          https://medium.com/octavian-ai)
    """

    def __init__(
        self,
        units,
        hidden_units=256,
        activation=None,
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
        if hidden_units is not None:
            hidden_units = check_positive_integer("hidden_units", hidden_units)
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
        self.hidden_units = hidden_units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        shapes = self._check_shapes(input_shape)
        self.input_spec = [fixed_width(shape) for shape in shapes]
        width = shapes[0][-1]
        self.projections = []
        if self.hidden_units is not None:
            width = self.hidden_units
            self.projections = [
                self.add_linear(f"projection_{i}", shape[-1], width)
                for i, shape in enumerate(shapes, 1)
            ]
        self.kernel = self.add_kernel("kernel", (width, self.units))
        self.bias = self.add_bias("bias", self.units)

    def call(self, inputs):
        """Returns the contracted product of the inputs.

        Args:
            inputs: List or tuple of two or more tensors of shape
                `(batch, ..., features_i)`.

        Returns:
            Tensor of shape `(batch, ..., units)`.
        """
        inputs = receive(self, inputs)
        if self.projections:
            inputs = [
                linear(x, *projection)
                for projection, x in zip(self.projections, inputs, strict=True)
            ]
        product = functools.reduce(ops.multiply, inputs)
        return self.activation(linear(product, self.kernel, self.bias))

    def compute_output_shape(self, input_shape):
        shapes = self._check_shapes(input_shape)
        return (*shapes[0][:-1], self.units)

    def _check_shapes(self, input_shape):
        shapes = check_shapes("MultiplyUnit", input_shape)
        if self.hidden_units is None and differ(s[-1] for s in shapes):
            raise ValueError(
                "With `hidden_units=None` all inputs of `MultiplyUnit` should "
                f"have one shape. Received: input_shape={shapes}"
            )
        return shapes

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
        }
