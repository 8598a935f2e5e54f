import math

import keras
from keras import ops

from kmul.constraints import Interval
from kmul.layers.arithmetic._base import ArithmeticUnit


@keras.saving.register_keras_serializable(package="kmul")
class NAU(ArithmeticUnit):
    """Neural addition unit: a linear layer with weights in [−1, 1].

    ```
    y = x W
    ```

    W is clipped to [−1, 1] after each step, by `kmul.constraints.Interval`.

    Args:
        units: Positive integer, the size of the output's last axis.
        kernel_initializer: Initializer of W, by default uniform in [−r, r]
            with r = min(0.5, √(6 / (features + units))).
        kernel_regularizer: Regularizer of W. The original's is
            `kmul.regularizers.Discreteness(strength, values=(-1, 0, 1))`.
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
    x = keras.Input((128,))
    y = kmul.layers.NAU(10)(x)
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
        bound = min(0.5, math.sqrt(6 / (width + self.units)))
        self.kernel = self.add_kernel(
            "kernel",
            width,
            self.kernel_initializer
            or keras.initializers.RandomUniform(-bound, bound),
            Interval(-1.0, 1.0),
        )

    def effective_kernels(self):
        return [ops.convert_to_tensor(self.kernel)]

    def compute(self, inputs):
        return ops.matmul(inputs, self.kernel)
