import keras
from keras import ops

from kmul._contractions import product_of_rows
from kmul._magnitude import magnitude
from kmul._sums import add
from kmul.layers.arithmetic._base import EPSILON
from kmul.layers.arithmetic._base import ArithmeticUnit
from kmul.layers.arithmetic._base import bounded_exp
from kmul.layers.arithmetic._base import saturated
from kmul.layers.arithmetic._base import selected_factors

# As its authors set it.
LARGEST_EXPONENT = 20.0


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
        tanh_kernel_initializer: Initializer of Ŵ_a and Ŵ_m, by default normal
            with mean 0.88 and standard deviation 0.2.
        sigmoid_kernel_initializer: Initializer of M̂_a and M̂_m, by default
            normal with mean 0.5 and standard deviation 0.2.
        gate_initializer: Initializer of ĝ, by default normal with mean 0 and
            standard deviation 0.2. The defaults are the original's.
        kernel_regularizer: Regularizer of W_a and W_m.
        regularizer_warmup: `None`, or two integers: the training step up to
            which the regularizer is off and the one from which it has its full
            strength, between which it grows linearly.
        tanh_kernel_regularizer: Regularizer of Ŵ_a and Ŵ_m.
        sigmoid_kernel_regularizer: Regularizer of M̂_a and M̂_m.
        gate_regularizer: Regularizer of ĝ. All are under the same warm-up; the
            original's are `kmul.regularizers.Saturation(0.05)`, which it turns
            on after ten epochs where the error is small.
        **kwargs: The arguments of every Keras layer: `name`, `dtype`,
            `trainable`.

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

    def __init__(
        self,
        units,
        tanh_kernel_initializer=None,
        sigmoid_kernel_initializer=None,
        gate_initializer=None,
        kernel_regularizer=None,
        regularizer_warmup=None,
        tanh_kernel_regularizer=None,
        sigmoid_kernel_regularizer=None,
        gate_regularizer=None,
        **kwargs,
    ):
        super().__init__(
            units,
            kernel_regularizer=kernel_regularizer,
            regularizer_warmup=regularizer_warmup,
            **kwargs,
        )
        self.tanh_kernel_initializer = keras.initializers.get(
            tanh_kernel_initializer
        ) or keras.initializers.RandomNormal(0.88, 0.2)
        self.sigmoid_kernel_initializer = keras.initializers.get(
            sigmoid_kernel_initializer
        ) or keras.initializers.RandomNormal(0.5, 0.2)
        self.gate_initializer = keras.initializers.get(
            gate_initializer
        ) or keras.initializers.RandomNormal(0.0, 0.2)
        self.tanh_kernel_regularizer = keras.regularizers.get(
            tanh_kernel_regularizer
        )
        self.sigmoid_kernel_regularizer = keras.regularizers.get(
            sigmoid_kernel_regularizer
        )
        self.gate_regularizer = keras.regularizers.get(gate_regularizer)

    def build_kernels(self, width):
        self.add_kernels = self._build_pair("add", width)
        self.multiply_kernels = self._build_pair("multiply", width)
        self.gate = self.add_weight(
            name="gate", shape=(self.units,), initializer=self.gate_initializer
        )
        self.regularize(self.gate, self.gate_regularizer)

    def _build_pair(self, name, width):
        tanh_kernel = self.add_kernel(
            f"{name}_tanh_kernel", width, self.tanh_kernel_initializer
        )
        sigmoid_kernel = self.add_kernel(
            f"{name}_sigmoid_kernel", width, self.sigmoid_kernel_initializer
        )
        self.regularize(tanh_kernel, self.tanh_kernel_regularizer)
        self.regularize(sigmoid_kernel, self.sigmoid_kernel_regularizer)
        return tanh_kernel, sigmoid_kernel

    def effective_kernels(self):
        return [saturated(self.add_kernels), saturated(self.multiply_kernels)]

    def compute(self, inputs):
        add_kernel, multiply_kernel = map(self.widen, self.effective_kernels())
        gate = ops.sigmoid(self.widen(self.gate))
        inputs = self.widen(inputs)
        logarithm = ops.log(ops.maximum(ops.abs(inputs), EPSILON))
        product = bounded_exp(
            ops.matmul(logarithm, multiply_kernel), LARGEST_EXPONENT
        )
        sign = product_of_rows(
            selected_factors(ops.sign(inputs), magnitude(multiply_kernel))
        )
        total = ops.matmul(inputs, add_kernel)
        return self.narrow(add(gate * total, (1 - gate) * sign * product))

    def get_config(self):
        config = super().get_config()
        del config["kernel_initializer"]
        return {
            **config,
            "tanh_kernel_initializer": keras.initializers.serialize(
                self.tanh_kernel_initializer
            ),
            "sigmoid_kernel_initializer": keras.initializers.serialize(
                self.sigmoid_kernel_initializer
            ),
            "gate_initializer": keras.initializers.serialize(
                self.gate_initializer
            ),
            "tanh_kernel_regularizer": keras.regularizers.serialize(
                self.tanh_kernel_regularizer
            ),
            "sigmoid_kernel_regularizer": keras.regularizers.serialize(
                self.sigmoid_kernel_regularizer
            ),
            "gate_regularizer": keras.regularizers.serialize(
                self.gate_regularizer
            ),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        # Before version 0.2 all kernels had one initializer.
        if "kernel_initializer" in config:
            initializer = config.pop("kernel_initializer")
            config["tanh_kernel_initializer"] = initializer
            config["sigmoid_kernel_initializer"] = initializer
        return super().from_config(config)
