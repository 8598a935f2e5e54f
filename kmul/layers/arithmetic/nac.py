import keras
from keras import ops

from kmul.layers.arithmetic._base import ArithmeticUnit
from kmul.layers.arithmetic._base import saturated


@keras.saving.register_keras_serializable(package="kmul")
class NAC(ArithmeticUnit):
    """Neural accumulator: sums and differences of selected inputs.

    ```
    y = x W    W = tanh(Ŵ)∘σ(M̂)
    ```

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
    y = kmul.layers.NAC(10)(x)
    ```

    Reference:
        - [Neural Arithmetic Logic Units (Trask et al., 2018)](
          https://arxiv.org/abs/1808.00508)
    """

    def build_kernels(self, width):
        self.kernel = (
            self.add_kernel("tanh_kernel", width),
            self.add_kernel("sigmoid_kernel", width),
        )

    def effective_kernels(self):
        return [saturated(self.kernel)]

    def compute(self, inputs):
        return ops.matmul(inputs, saturated(self.kernel))
