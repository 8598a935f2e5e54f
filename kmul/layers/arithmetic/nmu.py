import numbers

import keras
from keras import ops

from kmul._contractions import product_of_rows
from kmul._validation import check_boolean
from kmul._validation import check_seed
from kmul.constraints import Interval
from kmul.layers.arithmetic._base import ArithmeticUnit
from kmul.layers.arithmetic._base import bounded_exp
from kmul.layers.arithmetic._base import selected_factors

# Of normalized inputs: what varies less is taken for constant.
SMALLEST_DEVIATION = 1e-4


@keras.saving.register_keras_serializable(package="kmul")
class NMU(ArithmeticUnit):
    """Neural multiplication unit: products of selected inputs.

    ```
    y_j = Π_i (W_ij x_i + 1 − W_ij)
    ```

    W is clipped to [0, 1] after each step, by `kmul.constraints.Interval`. The
    product is computed as it stands, so signs and zeros are exact, in a tensor
    of batch · features · units elements.

    With `normalize` the inputs are divided by c, their standard deviation over
    the whole batch, and the product is multiplied by it again:

    ```
    y_j = c^(Σ_i W_ij) Π_i (W_ij x_i / c + 1 − W_ij)
    ```

    With `noise` (the stochastic NMU) each input is multiplied by noise in
    training, which is divided out again:

    ```
    y_j = Π_i (W_ij n_i x_i + 1 − W_ij) / Π_i (W_ij n_i + 1 − W_ij)
    ```

    Both change nothing where every weight is 0 or 1. They can be combined;
    then c is that of the noisy inputs.

    Args:
        units: Positive integer, the size of the output's last axis.
        kernel_initializer: Initializer of W, by default uniform in
            [0.25, 0.75].
        kernel_regularizer: Regularizer of W. The original's is
            `kmul.regularizers.Discreteness(strength, values=(0, 1))`.
        regularizer_warmup: `None`, or two integers: the training step up to
            which the regularizer is off and the one from which it has its full
            strength, between which it grows linearly.
        normalize: Boolean, whether to divide the inputs by their standard
            deviation c. An output then depends on the other samples of its
            batch, also after training, unless the weights are 0 or 1. c is 1
            where it is below 1e-4, and c^(Σ W) is cut to e^80.
        noise: `None`, or two numbers above 0, the range from which the noise
            n is drawn uniformly, for each sample and feature. The original's
            are (1, 5) and, from the data, (1, 1 + 1 / c).
        seed: Integer, the seed of the noise.
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
          https://arxiv.org/abs/2001.05016), whose code has the
          normalization as an option
        - [Improving the Robustness of Neural Multiplication Units with
          Reversible Stochasticity (Mistry et al., 2022)](
          https://arxiv.org/abs/2211.05624), for the noise
    """

    def __init__(
        self,
        units,
        kernel_initializer=None,
        kernel_regularizer=None,
        regularizer_warmup=None,
        normalize=False,
        noise=None,
        seed=None,
        **kwargs,
    ):
        normalize = check_boolean("normalize", normalize)
        noise = check_noise(noise)
        seed = check_seed(seed)
        super().__init__(
            units,
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            regularizer_warmup=regularizer_warmup,
            **kwargs,
        )
        self.normalize = normalize
        self.noise = noise
        self.seed = seed
        if noise is not None:
            self.seed_generator = keras.random.SeedGenerator(seed)

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
        inputs = self.widen(inputs)
        kernel = self.widen(ops.convert_to_tensor(self.kernel))
        noise = None
        if self.noise is not None and self._in_training:
            noise = self._draw_noise(inputs)
            inputs = ops.multiply(inputs, noise)
        product = self._multiply(inputs, kernel)
        if noise is not None:
            noise = product_of_rows(selected_factors(noise, kernel))
            product = ops.divide(product, noise)
        return self.narrow(product)

    def _draw_noise(self, inputs):
        return keras.random.uniform(
            ops.shape(inputs),
            *self.noise,
            dtype=inputs.dtype,
            seed=self.seed_generator,
        )

    def _multiply(self, inputs, kernel):
        if not self.normalize:
            return product_of_rows(selected_factors(inputs, kernel))
        scale = deviation(inputs)
        product = product_of_rows(selected_factors(inputs / scale, kernel))
        power = ops.log(scale) * ops.sum(kernel, axis=0)
        return ops.multiply(product, bounded_exp(power))

    def get_config(self):
        return {
            **super().get_config(),
            "normalize": self.normalize,
            "noise": self.noise,
            "seed": self.seed,
        }


def deviation(inputs):
    """Returns the standard deviation of a tensor, or 1 if that is tiny."""
    variance = ops.var(inputs)
    tiny = ops.less(variance, SMALLEST_DEVIATION**2)
    return ops.sqrt(ops.where(tiny, ops.ones_like(variance), variance))


def check_noise(noise):
    """Returns `noise` as two floats if it is a range above 0, or `None`."""
    if noise is None:
        return None
    if (
        not isinstance(noise, (tuple, list))
        or len(noise) != 2
        or any(
            isinstance(each, bool) or not isinstance(each, numbers.Real)
            for each in noise
        )
        or not 0 < noise[0] < noise[1] < float("inf")
    ):
        raise ValueError(
            "Invalid value for argument `noise`. Expected None or two finite "
            "numbers (low, high) with 0 < low < high. "
            f"Received: noise={noise!r}"
        )
    return [float(each) for each in noise]
