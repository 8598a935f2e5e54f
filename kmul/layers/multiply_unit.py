import keras

from kmul._branches import branch_initializer
from kmul._branches import merge_masks
from kmul._validation import check_positive_integer
from kmul._validation import check_shapes


@keras.saving.register_keras_serializable(package="kmul")
class MultiplyUnit(keras.layers.Layer):
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
        use_bias: Boolean, whether the dense layers have biases.
        kernel_initializer: Initializer of all kernels. Each kernel gets a
            copy of its own with a seed of its own, so that no two branches
            start equal.
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
        check_positive_integer("units", units)
        if hidden_units is not None:
            check_positive_integer("hidden_units", hidden_units)
        super().__init__(**kwargs)
        self.units = units
        self.hidden_units = hidden_units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.supports_masking = True

    def build(self, input_shape):
        shapes = self._check_shapes(input_shape)
        self.projections = []
        width = shapes[0][-1]
        if self.hidden_units is not None:
            width = self.hidden_units
            for branch, shape in enumerate(shapes):
                projection = self._dense(width, branch + 1)
                projection.build(shape)
                self.projections.append(projection)
        self.contraction = self._dense(self.units, 0, self.activation)
        self.contraction.build((*shapes[0][:-1], width))

    def call(self, inputs):
        if self.projections:
            inputs = [
                projection(x)
                for projection, x in zip(self.projections, inputs, strict=True)
            ]
        product = inputs[0]
        for x in inputs[1:]:
            product = product * x
        return self.contraction(product)

    def compute_output_shape(self, input_shape):
        shapes = self._check_shapes(input_shape)
        return (*shapes[0][:-1], self.units)

    def compute_mask(self, inputs, mask=None):
        return merge_masks(mask)

    def _check_shapes(self, input_shape):
        shapes = check_shapes("MultiplyUnit", input_shape)
        widths = {shape[-1] for shape in shapes}
        if self.hidden_units is None and len(widths) > 1:
            raise ValueError(
                "With `hidden_units=None` all inputs of `MultiplyUnit` should "
                f"have one shape. Received: input_shape={shapes}"
            )
        return shapes

    def _dense(self, units, branch, activation=None):
        return keras.layers.Dense(
            units,
            activation=activation,
            use_bias=self.use_bias,
            kernel_initializer=branch_initializer(
                self.kernel_initializer, branch
            ),
            bias_initializer=branch_initializer(self.bias_initializer, branch),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype_policy,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
            "bias_initializer": keras.initializers.serialize(
                self.bias_initializer
            ),
            "kernel_regularizer": keras.regularizers.serialize(
                self.kernel_regularizer
            ),
            "bias_regularizer": keras.regularizers.serialize(
                self.bias_regularizer
            ),
            "kernel_constraint": keras.constraints.serialize(
                self.kernel_constraint
            ),
            "bias_constraint": keras.constraints.serialize(
                self.bias_constraint
            ),
        }
