import keras
from keras import ops

from kmul._contractions import product_of_rows
from kmul.constraints import Interval
from kmul.layers.arithmetic._base import ArithmeticUnit
from kmul.layers.arithmetic._base import selected_factors


@keras.saving.register_keras_serializable(package="kmul")
class NMU(ArithmeticUnit):
    """Neural multiplication unit: products of selected inputs.

    ```
    y_j = Π_i (W_ij x_i + 1 − W_ij)
    ```

    W is clipped to [0, 1] after each step, by `kmul.constraints.Interval`. The
    product is computed as it stands, so signs and zeros are exact, in a tensor
    of batch · features · units elements.

    Args:
        units: Positive integer, the size of the output's last axis.
        kernel_initializer: Initializer of W, by default uniform in
            [0.25, 0.75].
        kernel_regularizer: Regularizer of W. The original's is
            `kmul.regularizers.Discreteness(strength, values=(0, 1))`.
        regularizer_warmup: `None`, or two integers: the training step up to
            which the regularizer is off and the one from which it has its full
            strength, between which it grows linearly.
        **kwargs: The arguments of every Keras layer: `name`, `dtype`,
            `trainable`.

    Input shape:
        `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., units)`.

    Weights: `kernel` W (features, units), the transpose of the original's.

    Masking: the mask of the input is passed on.

    Example:

    ```python
    x = keras.Input((2,))
    y = kmul.layers.NMU(1)(x)
    ```

    Reference:
        - [Neural Arithmetic Units (Madsen & Johansen, 2020)](
          https://arxiv.org/abs/2001.05016)
    """

    def __init__(
        self,
        units,
        kernel_initializer=None,
        kernel_regularizer=None,
        regularizer_warmup=None,
        **kwargs,
    ):
        super().__init__(
            units,
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            regularizer_warmup=regularizer_warmup,
            **kwargs,
        )

    def build_kernels(self, width):
        self.kernel = self.add_kernel(
            "kernel",
            width,
            self.kernel_initializer
            or keras.initializers.RandomUniform(0.25, 0.75),
            Interval(0.0, 1.0),
        )

    def effective_kernels(self):
        return [ops.convert_to_tensor(self.kernel)]

    def compute(self, inputs):
        kernel = self.widen(ops.convert_to_tensor(self.kernel))
        factors = selected_factors(self.widen(inputs), kernel)
        return self.narrow(product_of_rows(factors))
