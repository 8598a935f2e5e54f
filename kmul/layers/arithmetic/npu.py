import keras
from keras import ops

from kmul._sums import add
from kmul.layers.arithmetic._base import bounded_exp
from kmul.layers.arithmetic.real_npu import RealNPU


@keras.saving.register_keras_serializable(package="kmul")
class NPU(RealNPU):
    """Neural power unit: the real part of products of complex powers.

    ```
    y = exp(log(r) W_r − k W_i)∘cos(k W_r + log(r) W_i)
    r = g∘(abs(x) + 1e-7) + 1 − g    k = π g∘[x < 0]
    ```

    With W_i = 0 it is `RealNPU`; otherwise as there.

    Args:
        units: Positive integer, the size of the output's last axis.
        kernel_initializer: Initializer of W_r. W_i starts at zero.
        kernel_regularizer: Regularizer of W_r and W_i.
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

    Weights, in this order: `real_kernel` W_r, `imaginary_kernel` W_i, both
    (features, units), the transposes of the original's, and `gate` g
    (features,), for which see `RealNPU`.

    Masking: the mask of the input is passed on.

    Example:

    ```python
    x = keras.Input((128,))
    y = kmul.layers.NPU(10)(x)
    ```

    Reference:
        - [Neural Power Units (Heim et al., 2020)](
          https://arxiv.org/abs/2006.01681)
        - [A Primer for Neural Arithmetic Logic Modules (Mistry et al., 2022)](
          https://arxiv.org/abs/2101.09530), whose code regularizes the gate
    """

    def build_kernels(self, width):
        self.real_kernel = self.add_kernel("real_kernel", width)
        self.imaginary_kernel = self.add_kernel(
            "imaginary_kernel", width, keras.initializers.Zeros()
        )
        self.build_gate(width)

    def effective_kernels(self):
        return [
            ops.convert_to_tensor(self.real_kernel),
            ops.convert_to_tensor(self.imaginary_kernel),
        ]

    def compute(self, inputs):
        logarithm, angle = self.polar(inputs)
        real, imaginary = map(self.widen, self.effective_kernels())
        exponent = ops.matmul(logarithm, real) - ops.matmul(angle, imaginary)
        turn = add(ops.matmul(angle, real), ops.matmul(logarithm, imaginary))
        return self.narrow(bounded_exp(exponent) * ops.cos(turn))
