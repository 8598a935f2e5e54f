import keras
from keras import ops

from kmul._sums import add
from kmul.layers.arithmetic._base import product_of_powers
from kmul.layers.arithmetic._base import saturated
from kmul.layers.arithmetic.nac import NAC


@keras.saving.register_keras_serializable(package="kmul")
class NALU(NAC):
    """Neural arithmetic logic unit: a gate between sums and products.

    ```
    y = g∘(x W) + (1 − g)∘exp(log(abs(x) + 1e-7) W)
    g = σ(x G)    W = tanh(Ŵ)∘σ(M̂)
    ```

    Both parts have the same W. Signs are lost in the product. Exponents above
    80 are cut to 80, so that overflow gives 6e34 and never NaN.

    Args:
        units: Positive integer, the size of the output's last axis.
        kernel_initializer: Initializer of Ŵ, M̂ and G.
        kernel_regularizer: Regularizer of W.
        regularizer_warmup: `None`, or two integers: the training step up to
            which the regularizer is off and the one from which it has its full
            strength, between which it grows linearly.
        **kwargs: The arguments of every Keras layer: `name`, `dtype`,
            `trainable`.

    Input shape:
        `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order, transposes of the original's: `tanh_kernel` Ŵ,
    `sigmoid_kernel` M̂, `gate_kernel` G, all (features, units).

    Masking: the mask of the input is passed on.

    Example:

    ```python
    x = keras.Input((128,))
    y = kmul.layers.NALU(10)(x)
    ```

    Reference:
        - [Neural Arithmetic Logic Units (Trask et al., 2018)](
          https://arxiv.org/abs/1808.00508)
    """

    def build_kernels(self, width):
        super().build_kernels(width)
        self.gate_kernel = self.add_kernel("gate_kernel", width)

    def compute(self, inputs):
        kernel = self.widen(saturated(self.kernel))
        gate = ops.sigmoid(self.widen(ops.matmul(inputs, self.gate_kernel)))
        inputs = self.widen(inputs)
        total = ops.matmul(inputs, kernel)
        product = product_of_powers(inputs, kernel)
        return self.narrow(add(gate * total, (1 - gate) * product))
