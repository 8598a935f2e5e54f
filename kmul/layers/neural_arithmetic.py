"""Units whose weights spell out an arithmetic expression of their inputs.

All are called on one tensor and compute each output from a selection of the
inputs: sums and differences (`NAC`, `NAU`), products (`NMU`), products and
quotients (`NPU`, `RealNPU`), or a gated mixture (`NALU`, `INALU`).
"""

import math
import numbers

import keras
from keras import ops

from kmul._branches import branch_initializer
from kmul._contractions import product_of_rows
from kmul._validation import check_positive_integer
from kmul._validation import check_shape
from kmul.constraints import Interval

# What is added to, or least assumed of, a magnitude before its logarithm.
EPSILON = 1e-7
# Exponents above are cut: float32 ends at 88, and ∞ · 0 is not a number.
LARGEST_EXPONENT = 80.0
# The same bound as the authors of iNALU set it.
LARGEST_EXPONENT_OF_INALU = 20.0


class ArithmeticUnit(keras.layers.Layer):
    """The base of all units: kernels, and their regularizer's warm-up.

    Args:
        units: Positive integer, the size of the output's last axis.
        kernel_initializer: Initializer of the kernels.
        kernel_regularizer: Regularizer of the effective kernels.
        regularizer_warmup: `None`, or two integers: the training step up to
            which the regularizer is off and the one from which it has its full
            strength, between which it grows linearly.
        **kwargs: The arguments of every layer.
    """

    def __init__(
        self,
        units,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        regularizer_warmup=None,
        **kwargs,
    ):
        check_positive_integer("units", units)
        if regularizer_warmup is not None:
            check_warmup(regularizer_warmup)
        super().__init__(**kwargs)
        self.units = units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.regularizer_warmup = regularizer_warmup
        self.supports_masking = True

    def build(self, input_shape):
        width = check_shape(type(self).__name__, input_shape)[-1]
        self.build_kernels(width)
        if self.regularizer_warmup is not None:
            self.step = self.add_weight(
                name="step",
                shape=(),
                dtype="int32",
                initializer="zeros",
                trainable=False,
            )

    def build_kernels(self, width):
        raise NotImplementedError

    def effective_kernels(self):
        """Returns the kernels W as the equation has them, a list of tensors.

        Each has shape `(features, units)`. These are what is regularized, and
        what `kmul.metrics.sparsity_error` measures.
        """
        raise NotImplementedError

    def compute(self, inputs):
        raise NotImplementedError

    def call(self, inputs, training=None):
        if self.kernel_regularizer is not None:
            strength = self._regularizer_strength(training)
            for kernel in self.effective_kernels():
                loss = ops.cast(self.kernel_regularizer(kernel), "float32")
                self.add_loss(strength * loss)
        return self.compute(inputs)

    def compute_output_shape(self, input_shape):
        shape = check_shape(type(self).__name__, input_shape)
        return (*shape[:-1], self.units)

    def compute_mask(self, inputs, mask=None):
        return mask

    def add_kernel(self, name, width, initializer=None, constraint=None):
        initializer = initializer or self.kernel_initializer
        return self.add_weight(
            name=name,
            shape=(width, self.units),
            initializer=branch_initializer(initializer, len(self.weights)),
            constraint=constraint,
        )

    def widen(self, tensor):
        """Returns half-precision tensors in single precision, others as is.

        Logarithms, exponentials and long products need its range.
        """
        half = self.compute_dtype in ("float16", "bfloat16")
        return ops.cast(tensor, "float32") if half else tensor

    def narrow(self, tensor):
        return ops.cast(tensor, self.compute_dtype)

    def _regularizer_strength(self, training):
        if self.regularizer_warmup is None:
            return 1.0
        start, stop = self.regularizer_warmup
        elapsed = ops.cast(self.step, "float32") - start
        if training:
            self.step.assign(self.step + 1)
        return ops.clip(elapsed / (stop - start), 0.0, 1.0)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
            "kernel_regularizer": keras.regularizers.serialize(
                self.kernel_regularizer
            ),
            "regularizer_warmup": self.regularizer_warmup,
        }


def check_warmup(warmup):
    if (
        not isinstance(warmup, (tuple, list))
        or len(warmup) != 2
        or any(
            isinstance(step, bool) or not isinstance(step, numbers.Integral)
            for step in warmup
        )
        or not 0 <= warmup[0] < warmup[1]
    ):
        raise ValueError(
            "Invalid value for argument `regularizer_warmup`. Expected None or "
            "two integers (start, stop) with 0 <= start < stop. "
            f"Received: regularizer_warmup={warmup!r}"
        )


def saturated(kernel):
    """Returns tanh(Ŵ)∘σ(M̂), which is drawn to −1, 0 and 1."""
    tanh_kernel, sigmoid_kernel = kernel
    return ops.multiply(ops.tanh(tanh_kernel), ops.sigmoid(sigmoid_kernel))


def selected_factors(inputs, kernel):
    """Returns x_i W_ij + 1 − W_ij, of shape (batch, ..., features, units)."""
    # Of a single unit, to add 1 − W would be a `bias_add` on TensorFlow, which
    # `vectorized_map` fails on.
    return ops.subtract(
        ops.multiply(ops.expand_dims(inputs, -1), kernel),
        ops.subtract(kernel, 1),
    )


def bounded_exp(exponent, largest=LARGEST_EXPONENT):
    return ops.exp(ops.minimum(exponent, largest))


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
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

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
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

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
        magnitude = ops.log(ops.abs(inputs) + EPSILON)
        total = ops.matmul(inputs, kernel)
        product = bounded_exp(ops.matmul(magnitude, kernel))
        return self.narrow(gate * total + (1 - gate) * product)


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
        return self.narrow(gate * total + (1 - gate) * sign * product)


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
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

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

    def __init__(self, units, kernel_initializer=None, **kwargs):
        super().__init__(units, kernel_initializer, **kwargs)

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
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

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

    def __init__(self, units, kernel_initializer=None, **kwargs):
        super().__init__(units, kernel_initializer, **kwargs)

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


@keras.saving.register_keras_serializable(package="kmul")
class RealNPU(ArithmeticUnit):
    """Real neural power unit: products of powers of gated inputs.

    ```
    y = exp(log(r) W)∘cos(k W)
    r = g∘(abs(x) + 1e-7) + 1 − g    k = π g∘[x < 0]
    ```

    The gate g of each input is clipped to [0, 1] after each step, by
    `kmul.constraints.Interval`. Exponents above 80 are cut to 80, so that
    overflow gives ±6e34 and never NaN.

    Args:
        units: Positive integer, the size of the output's last axis.
        kernel_initializer: Initializer of W.
        kernel_regularizer: Regularizer of W.
        regularizer_warmup: `None`, or two integers: the training step up to
            which the regularizer is off and the one from which it has its full
            strength, between which it grows linearly.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Input shape:
        `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order: `kernel` W (features, units), the transpose of the
    original's, and `gate` g (features,), which starts at 0.5. The original
    clips its gate in the forward pass: load `np.clip(g, 0, 1)`.

    Masking: the mask of the input is passed on.

    Example:

    ```python
    x = keras.Input((128,))
    y = kmul.layers.RealNPU(10)(x)
    ```

    Reference:
        - [Neural Power Units (Heim et al., 2020)](
          https://arxiv.org/abs/2006.01681)
    """

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

    def effective_kernels(self):
        return [ops.convert_to_tensor(self.kernel)]

    def compute(self, inputs):
        magnitude, angle = self.polar(inputs)
        kernel = self.widen(ops.convert_to_tensor(self.kernel))
        product = bounded_exp(ops.matmul(magnitude, kernel))
        return self.narrow(product * ops.cos(ops.matmul(angle, kernel)))

    def polar(self, inputs):
        """Returns the logarithm of the gated inputs: log r and k."""
        inputs = self.widen(inputs)
        gate = self.widen(ops.convert_to_tensor(self.gate))
        magnitude = ops.log(gate * (ops.abs(inputs) + EPSILON) + (1 - gate))
        negative = ops.cast(ops.less(inputs, 0), inputs.dtype)
        return magnitude, math.pi * gate * negative


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
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

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
        magnitude, angle = self.polar(inputs)
        real, imaginary = map(self.widen, self.effective_kernels())
        exponent = ops.matmul(magnitude, real) - ops.matmul(angle, imaginary)
        turn = ops.matmul(angle, real) + ops.matmul(magnitude, imaginary)
        return self.narrow(bounded_exp(exponent) * ops.cos(turn))
