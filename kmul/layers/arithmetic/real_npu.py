import math

import keras
from keras import ops

from kmul._magnitude import magnitude
from kmul._sums import add
from kmul.constraints import Interval
from kmul.layers.arithmetic._base import EPSILON
from kmul.layers.arithmetic._base import ArithmeticUnit
from kmul.layers.arithmetic._base import bounded_exp


@keras.saving.register_keras_serializable(package="kmul")
class RealNPU(ArithmeticUnit):
    """Real neural power unit: products of powers of gated inputs.

    ```
    y = exp(log(r) W)∘cos(k W)
    r = g∘(abs(x) + 1e-7) + 1 − g    k = π g∘[x < 0]
    ```

    The gate g of each input is clipped to [0, 1], here and, by
    `kmul.constraints.Interval`, after each step. Exponents above 80 are cut to
    80, so that overflow gives ±6e34 and never NaN.

    Args:
        units: Positive integer, the size of the output's last axis.
        kernel_initializer: Initializer of W.
        kernel_regularizer: Regularizer of W.
        regularizer_warmup: `None`, or two integers: the training step up to
            which the regularizer is off and the one from which it has its full
            strength, between which it grows linearly.
        gate_regularizer: Regularizer of g, under the same warm-up, such as
            `kmul.regularizers.Discreteness(strength, values=(0, 1))`.
        **kwargs: The arguments of every Keras layer: `name`, `dtype`,
            `trainable`.

    Input shape:
        `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order: `kernel` W (features, units), the transpose of the
    original's, and `gate` g (features,), which starts at 0.5.

    Masking: the mask of the input is passed on.

    Example:

    ```python
    x = keras.Input((128,))
    y = kmul.layers.RealNPU(10)(x)
    ```

    Reference:
        - [Neural Power Units (Heim et al., 2020)](
          https://arxiv.org/abs/2006.01681)
        - [A Primer for Neural Arithmetic Logic Modules (Mistry et al., 2022)](
          https://arxiv.org/abs/2101.09530), whose code regularizes the gate
    """

    def __init__(
        self,
        units,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        regularizer_warmup=None,
        gate_regularizer=None,
        **kwargs,
    ):
        super().__init__(
            units,
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            regularizer_warmup=regularizer_warmup,
            **kwargs,
        )
        self.gate_regularizer = keras.regularizers.get(gate_regularizer)

    def build_kernels(self, width):
        self.kernel = self.add_kernel("kernel", width)
        self.build_gate(width)

    def build_gate(self, width):
        self.gate = self.add_weight(
            name="gate",
            shape=(width,),
            initializer=keras.initializers.Constant(0.5),
            constraint=Interval(0.0, 1.0),
        )
        self.regularize(self.gate, self.gate_regularizer)

    def effective_kernels(self):
        return [ops.convert_to_tensor(self.kernel)]

    def compute(self, inputs):
        logarithm, angle = self.polar(inputs)
        kernel = self.widen(ops.convert_to_tensor(self.kernel))
        product = bounded_exp(ops.matmul(logarithm, kernel))
        return self.narrow(product * ops.cos(ops.matmul(angle, kernel)))

    def polar(self, inputs):
        """Returns the logarithm of the gated inputs: log r and k."""
        inputs = self.widen(inputs)
        gate = self.widen(ops.convert_to_tensor(self.gate))
        # The slope of `clip` at 0 and 1 depends on the backend; here it is 1.
        gate = ops.where(ops.less(gate, 0), ops.zeros_like(gate), gate)
        gate = ops.where(ops.greater(gate, 1), ops.ones_like(gate), gate)
        gated = add(gate * (magnitude(inputs) + EPSILON), 1 - gate)
        negative = ops.cast(ops.less(inputs, 0), inputs.dtype)
        return ops.log(gated), math.pi * gate * negative

    def get_config(self):
        return {
            **super().get_config(),
            "gate_regularizer": keras.regularizers.serialize(
                self.gate_regularizer
            ),
        }
