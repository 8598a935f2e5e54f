import keras
from keras import ops

from kmul._contractions import linear
from kmul._contractions import match_rank
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_boolean
from kmul._validation import check_positive_integer
from kmul._validation import check_shapes
from kmul.layers._kernel_layer import KernelLayer


@keras.saving.register_keras_serializable(package="kmul")
class FiLM(KernelLayer):
    """Feature-wise linear modulation: a context scales and shifts features.

    ```
    y = (1 + γ)∘x + β    if `residual`
    y = γ∘x + β          otherwise
    [γ, β] = zᵀW + b
    ```

    Args:
        units: Positive integer, the width to which `x` is first projected
            linearly, `x P`, or `None` to modulate `x` as it is.
        residual: Boolean, whether one is added to the generated scale.
        use_bias: Boolean, whether there is the bias `b`.
        kernel_initializer: Initializer of both kernels. `"zeros"` with
            `units=None` starts as the identity.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of both kernels.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on both kernels.
        bias_constraint: Constraint on the bias.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of two tensors, `[x, z]`, the features and the
            context that modulates them.

    Input shape:
        `x`: `(batch, ..., features)`, of rank 2 or more. `z`: `(batch, m)`,
        shared by the other axes of `x`; or `(batch, ..., m)` with the axes of
        `x` before its last one.

    Output shape:
        `(batch, ..., features)`, or `(batch, ..., units)`.

    Weights, in this order: `input_kernel` P (features, units) if `units` is
    given, `kernel` W (m, 2 · width), the scales first, `bias` (2 · width,). The
    original's `nn.Linear(m, 2 * width)`, which also has the scales first,
    holds `kernel.T` and `bias`.

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    x = keras.Input((32, 32, 64))
    z = keras.Input((128,))
    y = kmul.layers.FiLM()([x, z])  # (batch, 32, 32, 64)
    ```

    Reference:
        - [FiLM: Visual Reasoning with a General Conditioning Layer (Perez et
          al., 2017)](https://arxiv.org/abs/1709.07871)
    """

    def __init__(
        self,
        units=None,
        residual=True,
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
        residual = check_boolean("residual", residual)
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
        self.residual = residual

    def build(self, input_shape):
        shapes = self._check_shapes(input_shape)
        self.input_spec = [fixed_width(shape) for shape in shapes]
        inputs, context = (shape[-1] for shape in shapes)
        width = inputs
        if self.units is not None:
            width = self.units
            self.input_kernel = self.add_kernel("input_kernel", (inputs, width))
        self.kernel = self.add_kernel("kernel", (context, 2 * width), parts=2)
        self.bias = self.add_bias("bias", 2 * width, parts=2)

    def call(self, inputs):
        """Returns the features, scaled and shifted by the context.

        Args:
            inputs: List or tuple `[x, z]`: features of shape
                `(batch, ..., features)`, and a context of shape `(batch, m)` or
                `(batch, ..., m)`.

        Returns:
            Tensor of the shape of `x`, with `units` features if that is given.
        """
        x, context = receive(self, inputs)
        if self.units is not None:
            x = ops.matmul(x, self.input_kernel)
        modulation = linear(context, self.kernel, self.bias)
        scale, shift = ops.split(match_rank(modulation, len(x.shape)), 2, -1)
        if self.residual:
            scale = scale + 1
        return add(ops.multiply(scale, x), shift)

    def compute_output_shape(self, input_shape):
        shape = self._check_shapes(input_shape)[0]
        return shape if self.units is None else (*shape[:-1], self.units)

    def _check_shapes(self, input_shape):
        return check_shapes("FiLM", input_shape, maximum=2, shared=True)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "residual": self.residual,
        }
