"""The base of all arithmetic units, and the formulas that several share."""

import functools
import numbers

import keras
from keras import ops

from kmul._branches import branch_initializer
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._magnitude import magnitude
from kmul._sums import add
from kmul._validation import check_positive_integer
from kmul._validation import check_shape

# Added to a magnitude before its logarithm, or the least that it counts as.
EPSILON = 1e-7

# Exponents above are cut: float32 ends at 88, and ∞ · 0 is not a number.
LARGEST_EXPONENT = 80.0


class ArithmeticUnit(keras.layers.Layer):
    """The base of all units: kernels, and their regularizers' warm-up.

    The penalties belong to the first kernel, so they are counted once per
    training step, like that of any Keras weight, also where the layer is
    shared or called at each step of a sequence. So is the step.

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
        units = check_positive_integer("units", units)
        if regularizer_warmup is not None:
            check_warmup(regularizer_warmup)
        super().__init__(**kwargs)
        self.units = units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.regularizer_warmup = regularizer_warmup
        self.supports_masking = True
        self._in_training = False
        self._regularized_weights = []

    def build(self, input_shape):
        width = check_shape(type(self).__name__, input_shape)[-1]
        self.input_spec = fixed_width(input_shape)
        self.build_kernels(width)
        if self.regularizer_warmup is not None:
            self.step = self.add_weight(
                name="step",
                shape=(),
                dtype="int32",
                initializer="zeros",
                trainable=False,
            )
        if self.kernel_regularizer is not None or self._regularized_weights:
            self.weights[0].regularizer = self._penalize

    def build_kernels(self, width):
        raise NotImplementedError

    def effective_kernels(self):
        """Returns the kernels W as the equation has them, a list of tensors.

        Each has shape `(features, units)`. These are regularized, and
        what `kmul.metrics.sparsity_error` measures.
        """
        raise NotImplementedError

    def compute(self, inputs):
        raise NotImplementedError

    def call(self, inputs, training=None):
        """Returns what the unit computes of each sample.

        Args:
            inputs: Tensor of shape `(batch, ..., features)`.
            training: Boolean, whether this is a training step, which the
                regularizer's warm-up counts.

        Returns:
            Tensor of shape `(batch, ..., units)`.
        """
        self._in_training = bool(training)
        return self.compute(receive(self, inputs))

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

    def regularize(self, weight, regularizer):
        """Has a weight itself regularized, unless `regularizer` is `None`."""
        if regularizer is not None:
            self._regularized_weights.append((weight, regularizer))

    def widen(self, tensor):
        """Returns half-precision tensors in single precision, others as is.

        Logarithms, exponentials and long products need its range.
        """
        half = self.compute_dtype in ("float16", "bfloat16")
        return ops.cast(tensor, "float32") if half else tensor

    def narrow(self, tensor):
        return ops.cast(tensor, self.compute_dtype)

    def _penalize(self, first_kernel):
        """Returns the sum of penalties. Keras asks for it once per step."""
        regularized = list(self._regularized_weights)
        if self.kernel_regularizer is not None:
            for kernel in self.effective_kernels():
                regularized.append((kernel, self.kernel_regularizer))
        penalties = [
            ops.cast(regularizer(weight), "float32")
            for weight, regularizer in regularized
        ]
        return functools.reduce(add, penalties) * self._advance_strength()

    def _advance_strength(self):
        if self.regularizer_warmup is None:
            return 1.0
        start, stop = self.regularizer_warmup
        elapsed = ops.cast(self.step, "float32") - start
        if self._in_training:
            self._in_training = False
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
    return add(ops.multiply(ops.expand_dims(inputs, -1), kernel), 1 - kernel)


def product_of_powers(inputs, kernel):
    """Returns Π_i (abs(x_i) + 1e-7)^W_ij, of shape (batch, ..., units)."""
    logarithm = ops.log(magnitude(inputs) + EPSILON)
    return bounded_exp(ops.matmul(logarithm, kernel))


def bounded_exp(exponent, largest=LARGEST_EXPONENT):
    return ops.exp(ops.minimum(exponent, largest))
