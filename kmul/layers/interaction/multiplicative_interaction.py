import functools
import itertools

import keras
from keras import ops

from kmul._contractions import bilinear
from kmul._contractions import linear
from kmul._contractions import match_rank
from kmul._contractions import outer_product
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_choice
from kmul._validation import check_positive_integer
from kmul._validation import check_shapes
from kmul._validation import check_width
from kmul.layers._kernel_layer import KernelLayer

FORMS = ("full", "low_rank", "diagonal", "scalar")
INTERACTIONS = ("joint", "pairs")


@keras.saving.register_keras_serializable(package="kmul")
class MultiplicativeInteraction(KernelLayer):
    """A function of two inputs that is linear in each of them.

    With `x` of width n and the context `z` of width m:

    ```
    full       y = zᵀ𝐖x + zᵀU + Vx + b               𝐖 of shape (m, n, units)
    low_rank   y = Σ_r (z·p_r)(x·q_r) o_r + zᵀU + Vx + b
    diagonal   y = (zᵀW + v)∘x + (zᵀU + b)           of the width of x
    scalar     y = (z·w + v) x + (z·u + b)           of the width of x
    ```

    then `activation`. Each form restricts the one before it. Every further
    input is one more factor: 𝐖 gets one more axis and stays linear in each
    input, `low_rank` has one more `(z'·p'_r)`, `diagonal` and `scalar` multiply
    by one more `(z'ᵀW' + v')`, and to all forms a linear term `z'ᵀU'` is added.

    With `interactions="pairs"` the first two forms have the products of all
    pairs of inputs instead, x being x_0 and the contexts x_1, x_2, ...:

    ```
    full       y = Σ_i<j x_jᵀ𝐖_ij x_i + Σ_i x_iᵀU_i + b
    low_rank   y = Σ_i<j Σ_r (x_i·q_ijr)(x_j·p_ijr) o_ijr + Σ_i x_iᵀU_i + b
    ```

    The full form costs batch · m · n · units multiplications. It is contracted
    in the order that makes the smallest intermediate tensor.

    Args:
        units: Positive integer, the size of the output's last axis. The
            forms `"diagonal"` and `"scalar"` keep the width of `x`, so that
            `units` is that width or `None` there.
        form: One of `"full"`, `"low_rank"`, `"diagonal"`, `"scalar"`.
        rank: Positive integer, the number of terms of the form `"low_rank"`;
            `None` for all others.
        activation: Activation of the output, none by default.
        interactions: `"joint"` for one product of all inputs, `"pairs"` for
            the products of all pairs. With two inputs they are the same.
        use_bias: Boolean, whether there is the bias `b`.
        kernel_initializer: Initializer of all kernels.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of all kernels.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on all kernels.
        bias_constraint: Constraint on the bias.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of two or more tensors, `[x, z, ...]`.

    Input shape:
        `x`: `(batch, ..., n)`, of rank 2 or more. Every context: the axes of
        `x` before its last one, `(batch, ..., m)`; or `(batch, m)`, which is
        then shared by the other axes of `x`.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order (i numbers the contexts from 1):
        - full: `interaction_kernel` (m_1, ..., n, units), `input_kernel`
          (n, units), `context_kernel_i` (m_i, units), `bias` (units,).
        - low_rank: `input_factor` (n, rank), `context_factor_i` (m_i, rank),
          `output_factor` (rank, units), then as in full from `input_kernel`.
        - pairs, in place of the ones before `input_kernel`, for each pair
          i < j, x having the number 0: `interaction_kernel_i_j` (m_j, m_i,
          units); or `first_factor_i_j` (m_i, rank), `second_factor_i_j`
          (m_j, rank), `output_factor_i_j` (rank, units).
        - diagonal, scalar, with width n or 1 in place of units:
          `scale_kernel_i` (m_i, width) and `scale_bias_i` (width,), which
          starts at one, of each context; then `context_kernel_i`
          (m_i, width) of each and `bias` (width,).

        In the paper's letters these are 𝐖, Vᵀ, U, b; q, p, o; W, v, U, b.

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    x = keras.Input((128,))
    z = keras.Input((64,))
    y = kmul.layers.MultiplicativeInteraction(10)([x, z])
    y = kmul.layers.MultiplicativeInteraction(
        10, form="low_rank", rank=16
    )([x, z])
    ```

    Reference:
        - [Multiplicative Interactions and Where to Find Them (Jayakumar et
          al., 2020)](https://openreview.net/forum?id=rylnK6VtDH)
    """

    def __init__(
        self,
        units=None,
        form="full",
        rank=None,
        activation=None,
        interactions="joint",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        check_choice("form", form, FORMS)
        if units is not None or form in ("full", "low_rank"):
            units = check_positive_integer("units", units)
        if form == "low_rank":
            rank = check_positive_integer("rank", rank)
        elif rank is not None:
            raise ValueError(
                "Invalid value for argument `rank`. Expected None, since only "
                f"`form='low_rank'` has a rank. Received: form={form!r}, "
                f"rank={rank!r}"
            )
        check_choice("interactions", interactions, INTERACTIONS)
        if interactions == "pairs" and form not in ("full", "low_rank"):
            raise ValueError(
                "Invalid value for argument `interactions`. Expected 'joint', "
                "since only the forms 'full' and 'low_rank' have pairs. "
                f"Received: form={form!r}, interactions={interactions!r}"
            )
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
        self.form = form
        self.rank = rank
        self.activation = keras.activations.get(activation)
        self.interactions = interactions

    def build(self, input_shape):
        shapes = self._check_shapes(input_shape)
        self.input_spec = [fixed_width(shape) for shape in shapes]
        inputs, *contexts = (shape[-1] for shape in shapes)
        if self.form in ("full", "low_rank"):
            width = self.units
            if self.interactions == "pairs":
                self._build_pairs([inputs, *contexts])
            elif self.form == "full":
                self.interaction_kernel = self.add_kernel(
                    "interaction_kernel", (*contexts, inputs, width)
                )
            else:
                self._build_factors(inputs, contexts)
            self.input_kernel = self.add_kernel("input_kernel", (inputs, width))
        else:
            width = inputs if self.form == "diagonal" else 1
            self._build_scales(contexts, width)
        self.context_kernels = [
            self.add_kernel(f"context_kernel_{i}", (context, width))
            for i, context in enumerate(contexts, 1)
        ]
        self.bias = self.add_bias("bias", width)

    def call(self, inputs):
        """Returns what `x` and its contexts give together.

        Args:
            inputs: List or tuple `[x, z, ...]` of two or more tensors: `x` of
                shape `(batch, ..., n)`, contexts of shape `(batch, ..., m)` or
                `(batch, m)`.

        Returns:
            Tensor of shape `(batch, ..., units)`, or of the shape of `x` if
            the form is `"diagonal"` or `"scalar"`.
        """
        x, *contexts = receive(self, inputs)
        if self.interactions == "pairs":
            product = self._interact_in_pairs([x, *contexts])
        elif self.form == "full":
            product = self._interact(x, contexts)
        elif self.form == "low_rank":
            product = self._interact_by_factors(x, contexts)
        else:
            product = ops.multiply(self._scale(x, contexts), x)
        return self.activation(add(product, self._shift(x, contexts)))

    def compute_output_shape(self, input_shape):
        shapes = self._check_shapes(input_shape)
        if self.form in ("full", "low_rank"):
            return (*shapes[0][:-1], self.units)
        return shapes[0]

    def _check_shapes(self, input_shape):
        name = type(self).__name__
        shapes = check_shapes(name, input_shape, shared=True)
        if self.form in ("diagonal", "scalar"):
            check_width(name, self.units, shapes[0][-1])
        return shapes

    def _build_factors(self, inputs, contexts):
        self.input_factor = self.add_kernel("input_factor", (inputs, self.rank))
        self.context_factors = [
            self.add_kernel(f"context_factor_{i}", (context, self.rank))
            for i, context in enumerate(contexts, 1)
        ]
        self.output_factor = self.add_kernel(
            "output_factor", (self.rank, self.units)
        )

    def _build_pairs(self, widths):
        self.pairs = []
        for (i, first), (j, second) in itertools.combinations(
            enumerate(widths), 2
        ):
            name = f"{i}_{j}"
            if self.form == "full":
                shape = (second, first, self.units)
                kernels = [self.add_kernel(f"interaction_kernel_{name}", shape)]
            else:
                kernels = [
                    self.add_kernel(f"{kind}_factor_{name}", shape)
                    for kind, shape in (
                        ("first", (first, self.rank)),
                        ("second", (second, self.rank)),
                        ("output", (self.rank, self.units)),
                    )
                ]
            self.pairs.append(kernels)

    def _build_scales(self, contexts, width):
        self.scales = []
        for i, context in enumerate(contexts, 1):
            kernel = self.add_kernel(f"scale_kernel_{i}", (context, width))
            bias = self.add_weight(
                name=f"scale_bias_{i}", shape=(width,), initializer="ones"
            )
            self.scales.append((kernel, bias))

    def _shift(self, x, contexts):
        """All terms but the products: zᵀU + Vx + b."""
        rank = len(x.shape)
        shift = self.bias
        for context, kernel in zip(contexts, self.context_kernels, strict=True):
            term = match_rank(ops.matmul(context, kernel), rank)
            shift = term if shift is None else add(term, shift)
        if self.form in ("full", "low_rank"):
            shift = add(ops.matmul(x, self.input_kernel), shift)
        return shift

    def _interact(self, x, contexts):
        n, units = self.interaction_kernel.shape[-2:]
        rank = max(len(context.shape) for context in contexts)
        context = functools.reduce(
            outer_product, [match_rank(each, rank) for each in contexts]
        )
        kernel = ops.reshape(
            self.interaction_kernel, (context.shape[-1], n, units)
        )
        return bilinear(context, x, kernel)

    def _interact_by_factors(self, x, contexts):
        product = ops.matmul(x, self.input_factor)
        for context, factor in zip(contexts, self.context_factors, strict=True):
            context = match_rank(ops.matmul(context, factor), len(x.shape))
            product = ops.multiply(product, context)
        return ops.matmul(product, self.output_factor)

    def _interact_in_pairs(self, inputs):
        """The sum over all pairs, in the rank of the first input."""
        total = None
        for (first, second), kernels in zip(
            itertools.combinations(inputs, 2), self.pairs, strict=True
        ):
            if self.form == "full":
                kernel = ops.convert_to_tensor(kernels[0])
                first = match_rank(first, len(second.shape))
                term = bilinear(second, first, kernel)
            else:
                first = ops.matmul(first, kernels[0])
                second = ops.matmul(second, kernels[1])
                rank = max(len(first.shape), len(second.shape))
                term = ops.multiply(
                    match_rank(first, rank), match_rank(second, rank)
                )
                term = ops.matmul(term, kernels[2])
            term = match_rank(term, len(inputs[0].shape))
            total = term if total is None else add(total, term)
        return total

    def _scale(self, x, contexts):
        product = None
        for context, (kernel, bias) in zip(contexts, self.scales, strict=True):
            scale = match_rank(linear(context, kernel, bias), len(x.shape))
            product = scale if product is None else product * scale
        return product

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "form": self.form,
            "rank": self.rank,
            "activation": keras.activations.serialize(self.activation),
            "interactions": self.interactions,
        }
