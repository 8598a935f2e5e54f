import keras
from keras import ops

from kmul._contractions import product_of_rows
from kmul._sums import add
from kmul.layers.arithmetic._base import EPSILON
from kmul.layers.arithmetic._base import LARGEST_EXPONENT_OF_INALU
from kmul.layers.arithmetic._base import ArithmeticUnit
from kmul.layers.arithmetic._base import bounded_exp
from kmul.layers.arithmetic._base import saturated
from kmul.layers.arithmetic._base import selected_factors


@keras.saving.register_keras_serializable(package="kmul")
class INALU(ArithmeticUnit):
    """Improved NALU: separate weights, a static gate, and signs.

    ```
    y = g∘(x W_a) + (1 − g)∘s∘m    g = σ(ĝ)
    m = exp(min(log(max(abs(x), 1e-7)) W_m, 20))
    s = Π_i (sgn(x_i) abs(W_m,i) + 1 − abs(W_m,i))
    W_a = tanh(Ŵ_a)∘σ(M̂_a)    W_m = tanh(Ŵ_m)∘σ(M̂_m)
    ```

    The gate is a parameter of each output, not a function of the input. The
    reinitialization of stuck units and the clipping of gradients that its
    authors train with are no part of the layer.

    Args:
        units: Positive integer, the size of the output's last axis.
        kernel_initializer: Initializer of the four kernels.
        kernel_regularizer: Regularizer of W_a and W_m.
        regularizer_warmup: `None`, or two integers: the training step up to
            which the regularizer is off and the one from which it has its full
            strength, between which it grows linearly.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Input shape:
        `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order and the shapes of the original: `add_tanh_kernel`
    Ŵ_a, `add_sigmoid_kernel` M̂_a, `multiply_tanh_kernel` Ŵ_m,
    `multiply_sigmoid_kernel` M̂_m, all (features, units), and `gate` ĝ
    (units,).

    Masking: the mask of the input is passed on.

    Example:

    ```python
    x = keras.Input((128,))
    y = kmul.layers.INALU(10)(x)
    ```

    Reference:
        - [iNALU: Improved Neural Arithmetic Logic Unit (Schlör et al., 2020)](
          https://arxiv.org/abs/2003.07629)
    """

    def build_kernels(self, width):
        self.add_kernels = (
            self.add_kernel("add_tanh_kernel", width),
            self.add_kernel("add_sigmoid_kernel", width),
        )
        self.multiply_kernels = (
            self.add_kernel("multiply_tanh_kernel", width),
            self.add_kernel("multiply_sigmoid_kernel", width),
        )
        self.gate = self.add_weight(
            name="gate", shape=(self.units,), initializer="zeros"
        )

    def effective_kernels(self):
        return [saturated(self.add_kernels), saturated(self.multiply_kernels)]

    def compute(self, inputs):
        add_kernel, multiply_kernel = map(self.widen, self.effective_kernels())
        gate = ops.sigmoid(self.widen(self.gate))
        inputs = self.widen(inputs)
        magnitude = ops.log(ops.maximum(ops.abs(inputs), EPSILON))
        product = bounded_exp(
            ops.matmul(magnitude, multiply_kernel), LARGEST_EXPONENT_OF_INALU
        )
        sign = product_of_rows(
            selected_factors(ops.sign(inputs), ops.abs(multiply_kernel))
        )
        total = ops.matmul(inputs, add_kernel)
        return self.narrow(add(gate * total, (1 - gate) * sign * product))
