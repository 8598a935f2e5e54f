import math
import random

import keras
from keras import ops

from kmul._branches import branch_seed
from kmul._contractions import linear
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_choice
from kmul._validation import check_positive_integer
from kmul._validation import check_positive_number
from kmul._validation import check_seed
from kmul._validation import check_shape
from kmul.layers._kernel_layer import KernelLayer


@keras.saving.register_keras_serializable(package="kmul")
class MultiplicativeFilter(KernelLayer):
    """A multiplicative filter network: a function of a few coordinates.

    ```
    z_1 = g_1(x)    z_i = (z_{i−1} W_i + b_i) ∘ g_i(x)    y = z_k V + c
    g(x) = sin(x Ω + φ)                            `"fourier"`
    g(x) = sin(x Ω + φ) ∘ exp(−γ ∘ ‖x − μ‖² / 2)   `"gabor"`
    ```

    Coordinates in, a color or a density out: the network is the image, the
    sound or the scene. The product of two sines is two sines of the sum and of
    the difference of their frequencies, so that y is linear in exponentially
    many of them. Dense layers with relu learn high frequencies last, if at all.

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the size of each z_i.
        num_filters: Positive integer, k, the number of filters g_i.
        form: `"fourier"`, waves over all of the space, or `"gabor"`, waves
            around a center μ of their own each.
        input_scale: Positive number. The frequencies Ω start as in
            (−1, 1) · input_scale / √(num_filters · features): the higher it
            is, the finer the detail that is learned first.
        alpha: Positive number. The γ of Gabor filters start as draws from a
            gamma distribution of shape alpha / num_filters and rate beta; the
            larger, the narrower the filters.
        beta: Positive number.
        activation: Activation of the output, none by default.
        use_bias: Boolean, whether there are the biases b_i and c.
        kernel_initializer: Initializer of W_i and V, uniform in (−1, 1) /
            √hidden_units by default, as in the paper's code.
        bias_initializer: Initializer of b_i and c.
        kernel_regularizer: Regularizer of W_i and V.
        bias_regularizer: Regularizer of b_i and c.
        kernel_constraint: Constraint on W_i and V.
        bias_constraint: Constraint on b_i and c.
        seed: Integer, the seed of the start of the filters.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, ..., features)`, coordinates in
            [−1, 1]. In mixed precision they should be float32; the filters are
            computed in it.

    Input shape:
        `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order: `frequencies` Ω (features, k · hidden_units),
    `phases` φ (k · hidden_units,); of Gabor filters `centers` μ, shaped like Ω,
    and `scales` γ, like φ; then for i = 2 … k `kernel_i` W_i (hidden_units,
    hidden_units) and `bias_i` (hidden_units,); `output_kernel` V and
    `output_bias` c.

    Masking: the mask of the input is passed on.

    Example:

    ```python
    x = keras.Input((2,))  # where in the image, from −1 to 1
    y = kmul.layers.MultiplicativeFilter(3, 64, input_scale=64.0)(x)  # RGB
    ```

    Reference:
        - [Multiplicative Filter Networks (Fathony et al., 2021)](
          https://openreview.net/forum?id=OmtmcPkkhT)
    """

    def __init__(
        self,
        units,
        hidden_units=256,
        num_filters=4,
        form="fourier",
        input_scale=256.0,
        alpha=6.0,
        beta=1.0,
        activation=None,
        use_bias=True,
        kernel_initializer=None,
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        seed=None,
        **kwargs,
    ):
        units = check_positive_integer("units", units)
        hidden_units = check_positive_integer("hidden_units", hidden_units)
        num_filters = check_positive_integer("num_filters", num_filters)
        check_choice("form", form, ("fourier", "gabor"))
        input_scale = check_positive_number("input_scale", input_scale)
        alpha = check_positive_number("alpha", alpha)
        beta = check_positive_number("beta", beta)
        seed = check_seed(seed)
        if kernel_initializer is None:
            kernel_initializer = keras.initializers.VarianceScaling(
                1 / 3, "fan_in", "uniform"
            )
        # Half precision has too few digits for the phase of a fast wave.
        kwargs["autocast"] = False
        super().__init__(
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.units = units
        self.hidden_units = hidden_units
        self.num_filters = num_filters
        self.form = form
        self.input_scale = input_scale
        self.alpha = alpha
        self.beta = beta
        self.activation = keras.activations.get(activation)
        self.seed = seed

    def build(self, input_shape):
        features = check_shape("MultiplicativeFilter", input_shape)[-1]
        self.input_spec = fixed_width(input_shape)
        self._build_filters(features)
        width = self.hidden_units
        self.linear_layers = [
            (
                self.add_kernel(f"kernel_{i}", (width, width)),
                self.add_bias(f"bias_{i}", width),
            )
            for i in range(2, self.num_filters + 1)
        ]
        self.output_layer = self.add_linear("output", width, self.units)

    def _build_filters(self, features):
        count = self.num_filters * self.hidden_units
        seed = self.seed
        if seed is None:
            seed = random.randint(1, 10**9)  # As Keras draws its seeds.
        first, second, third, fourth = (branch_seed(seed, i) for i in range(4))

        def draw_scales(shape, dtype=None):
            alpha = self.alpha / self.num_filters
            drawn = keras.random.gamma(shape, alpha, dtype, fourth)
            return ops.divide(drawn, self.beta)

        def draw_frequencies(shape, dtype=None):
            limit = self.input_scale / math.sqrt(self.num_filters * features)
            drawn = keras.random.uniform(shape, -limit, limit, dtype, first)
            if self.form == "fourier":
                return drawn
            # A narrow filter has as many waves as a wide one.
            return ops.multiply(drawn, ops.sqrt(draw_scales((count,), dtype)))

        def uniform(limit, seed):
            return keras.initializers.RandomUniform(-limit, limit, seed)

        self.frequencies = self.add_weight(
            name="frequencies",
            shape=(features, count),
            initializer=draw_frequencies,
        )
        self.phases = self.add_weight(
            name="phases",
            shape=(count,),
            initializer=uniform(math.pi, second),
        )
        if self.form == "gabor":
            self.centers = self.add_weight(
                name="centers",
                shape=(features, count),
                initializer=uniform(1.0, third),
            )
            self.scales = self.add_weight(
                name="scales", shape=(count,), initializer=draw_scales
            )

    def call(self, inputs):
        """Returns the network's values at the coordinates.

        Args:
            inputs: Tensor of shape `(batch, ..., features)`.

        Returns:
            A tensor of shape `(batch, ..., units)`.
        """
        filters = self._filter(receive(self, inputs, self.variable_dtype))
        filters = ops.cast(filters, self.compute_dtype)
        z, *filters = ops.split(filters, self.num_filters, -1)
        for each, layer in zip(filters, self.linear_layers, strict=True):
            z = ops.multiply(each, self._linear(z, layer))
        return self.activation(self._linear(z, self.output_layer))

    def _filter(self, x):
        waves = ops.sin(linear(x, self.frequencies, self.phases))
        if self.form == "fourier":
            return waves
        centers = ops.convert_to_tensor(self.centers)
        # ‖x − μ‖² = ‖x‖² + ‖μ‖² − 2 x μ
        squares = ops.sum(ops.square(x), -1, keepdims=True)
        others = linear(x, -2 * centers, ops.sum(ops.square(centers), 0))
        distance = add(others, squares)
        decay = ops.exp(ops.multiply(distance, self.scales * -0.5))
        return ops.multiply(waves, decay)

    def _linear(self, inputs, layer):
        dtype = self.compute_dtype
        weights = [w if w is None else ops.cast(w, dtype) for w in layer]
        return linear(inputs, *weights)

    def compute_output_shape(self, input_shape):
        shape = check_shape("MultiplicativeFilter", input_shape)
        return (*shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "hidden_units": self.hidden_units,
            "num_filters": self.num_filters,
            "form": self.form,
            "input_scale": self.input_scale,
            "alpha": self.alpha,
            "beta": self.beta,
            "activation": keras.activations.serialize(self.activation),
            "seed": self.seed,
        }
