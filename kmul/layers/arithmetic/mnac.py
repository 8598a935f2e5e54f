import keras

from kmul.layers.arithmetic._base import product_of_powers
from kmul.layers.arithmetic._base import saturated
from kmul.layers.arithmetic.nac import NAC


@keras.saving.register_keras_serializable(package="kmul")
class MNAC(NAC):
    """Multiplicative neural accumulator: products and quotients of inputs.

    ```
    y = exp(log(abs(x) + 1e-7) W)    W = tanh(Ŵ)∘σ(M̂)
    ```

    The product of `NALU` without its sum and gate, also written NAC•. Signs
    are lost. Exponents above 80 are cut to 80, so that overflow gives 6e34 and
    never NaN.

    Args:
        units: Positive integer, the size of the output's last axis.
        kernel_initializer: Initializer of Ŵ and M̂.
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
    `sigmoid_kernel` M̂, both (features, units).

    Masking: the mask of the input is passed on.

    Example:

    ```python
    x = keras.Input((128,))
    y = kmul.layers.MNAC(10)(x)
    ```

    Reference:
        - [Neural Arithmetic Logic Units (Trask et al., 2018)](
          https://arxiv.org/abs/1808.00508)
        - [Neural Arithmetic Units (Madsen & Johansen, 2020)](
          https://arxiv.org/abs/2001.05016), which train it on its own
    """

    def compute(self, inputs):
        kernel = self.widen(saturated(self.kernel))
        return self.narrow(product_of_powers(self.widen(inputs), kernel))
