import functools

import keras
from keras import ops

from kmul._contractions import bilinear
from kmul._contractions import outer_product
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._sums import add_bias
from kmul._validation import check_positive_integer
from kmul._validation import check_shapes
from kmul.layers._kernel_layer import KernelLayer


@keras.saving.register_keras_serializable(package="kmul")
class TensorFusion(KernelLayer):
    """Tensor fusion: the outer product of all modalities.

    ```
    z = [1; x_1]⊗[1; x_2]⊗...    y = zᵀW + b
    ```

    With `units=None` the output is z itself, flattened. Otherwise z is never
    made where a cheaper order of contraction exists.

    Args:
        units: Positive integer, the size of the output's last axis, or
            `None`.
        use_bias: Boolean, whether there is the bias b.
        kernel_initializer: Initializer of W.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of W.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on W.
        bias_constraint: Constraint on the bias.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of two or more tensors.

    Input shape:
        `(batch, ..., features_i)`, of rank 2 or more, equal before the last
        axis.

    Output shape:
        `(batch, ..., units)`, or `(batch, ..., Π_i (1 + features_i))`.

    Weights, if `units` is given: `kernel` W (Π_i (1 + features_i), units), the
    first modality varying slowest, `bias` (units,). W is the transpose of the
    linear layer that follows the fusion in the original.

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a, b = keras.Input((16,)), keras.Input((8,))
    y = kmul.layers.TensorFusion(10)([a, b])
    z = kmul.layers.TensorFusion()([a, b])  # (batch, 17 · 9)
    ```

    Reference:
        - [Tensor Fusion Network for Multimodal Sentiment Analysis (Zadeh et
          al., 2017)](https://arxiv.org/abs/1707.07250)
    """

    def __init__(
        self,
        units=None,
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

    def build(self, input_shape):
        width = self._product_width(input_shape)
        self.input_spec = [fixed_width(shape) for shape in input_shape]
        if self.units is not None:
            self.kernel = self.add_kernel("kernel", (width, self.units))
            self.bias = self.add_bias("bias", self.units)

    def call(self, inputs):
        """Returns the products of the features of all inputs.

        Args:
            inputs: List or tuple of two or more tensors of shape
                `(batch, ..., features_i)`.

        Returns:
            Tensor of shape `(batch, ..., units)`, or with `units=None`
            `(batch, ..., Π_i (1 + features_i))`.
        """
        inputs = [
            ops.concatenate([ops.ones_like(x[..., :1]), x], axis=-1)
            for x in receive(self, inputs)
        ]
        if self.units is None:
            return functools.reduce(outer_product, inputs)
        first = functools.reduce(outer_product, inputs[:-1])
        shape = (first.shape[-1], inputs[-1].shape[-1], self.units)
        kernel = ops.reshape(self.kernel, shape)
        outputs = bilinear(first, inputs[-1], kernel)
        return add_bias(outputs, self.bias)

    def compute_output_shape(self, input_shape):
        width = self._product_width(input_shape)
        leading = tuple(input_shape[0])[:-1]
        return (*leading, width if self.units is None else self.units)

    def _product_width(self, input_shape):
        width = 1
        for shape in check_shapes("TensorFusion", input_shape):
            width *= 1 + shape[-1]
        return width

    def get_config(self):
        return {**super().get_config(), "units": self.units}
