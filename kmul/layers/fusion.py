"""Fusion of modalities by products: bilinear models in affordable forms.

All but the last two are called on two tensors, project them to one width,
multiply them in some form, and map the product to `units` by a linear layer.
"""

import functools

import keras
from keras import ops

from kmul._contractions import bilinear
from kmul._contractions import linear
from kmul._contractions import outer_product
from kmul._contractions import split_features
from kmul._normalization import l2_normalize
from kmul._normalization import signed_sqrt
from kmul._validation import check_positive_integer
from kmul._validation import check_shapes
from kmul.layers._kernel_layer import KernelLayer


class Fusion(KernelLayer):
    """The base of fusions of two modalities.

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width of the product.
        **kwargs: The arguments of `KernelLayer`.
    """

    def __init__(self, units, hidden_units, **kwargs):
        check_positive_integer("units", units)
        check_positive_integer("hidden_units", hidden_units)
        super().__init__(**kwargs)
        self.units = units
        self.hidden_units = hidden_units

    def build(self, input_shape):
        shapes = self._check_shapes(input_shape)
        self.build_product(shapes[0][-1], shapes[1][-1])
        self.output_layer = self.add_linear(
            "output", self.product_width(), self.units
        )

    def build_product(self, first, second):
        """Adds the weights of the product of inputs of these widths."""
        raise NotImplementedError

    def product_width(self):
        return self.hidden_units

    def fuse(self, first, second):
        """Returns the product."""
        raise NotImplementedError

    def call(self, inputs):
        first, second = inputs
        return linear(self.fuse(first, second), *self.output_layer)

    def compute_output_shape(self, input_shape):
        return (*self._check_shapes(input_shape)[0][:-1], self.units)

    def add_projections(self, first, second, units):
        self.projections = [
            self.add_linear("first", first, units),
            self.add_linear("second", second, units),
        ]

    def project(self, first, second):
        return (
            linear(first, *self.projections[0]),
            linear(second, *self.projections[1]),
        )

    def normalize_product(self, product):
        """The signed square root, then the L2 norm over the last axis."""
        return l2_normalize(signed_sqrt(product), self.compute_dtype)

    def _check_shapes(self, input_shape):
        return check_shapes(type(self).__name__, input_shape, maximum=2)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "hidden_units": self.hidden_units,
        }


@keras.saving.register_keras_serializable(package="kmul")
class MLBFusion(Fusion):
    """Multimodal low-rank bilinear pooling.

    ```
    y = O(act(L_1 x_1)∘act(L_2 x_2))
    ```

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width of the product.
        hidden_activation: Activation of the projections, act.
        **kwargs: `use_bias`, `kernel_initializer`, `kernel_regularizer`,
            `kernel_constraint` of all kernels, the same of the biases, as in
            `keras.layers.Dense`, and the arguments of every layer, `name` and
            `dtype` for example.

    Call arguments:
        inputs: List or tuple of two tensors, `[x_1, x_2]`.

    Input shape:
        Two of `(batch, ..., features_i)`, of rank 2 or more, equal before the
        last axis.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order, kernels being transposes of the original's:
    `first_kernel` L_1 and `first_bias` (linear0), `second_kernel` L_2 and
    `second_bias` (linear1), `output_kernel` O and `output_bias` (linear_out).

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a, b = keras.Input((128,)), keras.Input((64,))
    y = kmul.layers.MLBFusion(10)([a, b])
    ```

    Reference:
        - [Hadamard Product for Low-rank Bilinear Pooling (Kim et al., 2016)](
          https://arxiv.org/abs/1610.04325)
    """

    def __init__(
        self, units, hidden_units=256, hidden_activation="tanh", **kwargs
    ):
        super().__init__(units, hidden_units, **kwargs)
        self.hidden_activation = keras.activations.get(hidden_activation)

    def build_product(self, first, second):
        self.add_projections(first, second, self.hidden_units)

    def fuse(self, first, second):
        first, second = map(self.hidden_activation, self.project(first, second))
        return ops.multiply(first, second)

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_activation": keras.activations.serialize(
                self.hidden_activation
            ),
        }


@keras.saving.register_keras_serializable(package="kmul")
class MUTANFusion(Fusion):
    """Multimodal Tucker fusion with a core of low rank.

    ```
    y = O(Σ_r (M_1ʳ x̃_1)∘(M_2ʳ x̃_2))    x̃_i = L_i x_i
    ```

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width of the projections and of
            the product.
        rank: Positive integer, the number of summands.
        **kwargs: `use_bias`, `kernel_initializer`, `kernel_regularizer`,
            `kernel_constraint` of all kernels, the same of the biases, as in
            `keras.layers.Dense`, and the arguments of every layer, `name` and
            `dtype` for example.

    Call arguments:
        inputs: List or tuple of two tensors, `[x_1, x_2]`.

    Input shape:
        Two of `(batch, ..., features_i)`, of rank 2 or more, equal before the
        last axis.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order, kernels being transposes of the original's:
    `first_kernel` L_1 and `first_bias` (linear0), `second_kernel` L_2 and
    `second_bias` (linear1), `first_merge_kernel` (hidden_units, rank ·
    hidden_units), M_1ʳ side by side, the rank varying slowest, and
    `first_merge_bias` (merge_linear0), `second_merge_kernel` and
    `second_merge_bias` (merge_linear1), `output_kernel` O and `output_bias`
    (linear_out).

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a, b = keras.Input((128,)), keras.Input((64,))
    y = kmul.layers.MUTANFusion(10, rank=5)([a, b])
    ```

    Reference:
        - [MUTAN: Multimodal Tucker Fusion for Visual Question Answering
          (Ben-younes et al., 2017)](https://arxiv.org/abs/1705.06676)
    """

    def __init__(self, units, hidden_units=128, rank=5, **kwargs):
        check_positive_integer("rank", rank)
        super().__init__(units, hidden_units, **kwargs)
        self.rank = rank

    def build_product(self, first, second):
        hidden, rank = self.hidden_units, self.rank
        self.add_projections(first, second, hidden)
        self.merges = [
            self.add_linear(f"{name}_merge", hidden, rank * hidden, rank)
            for name in ("first", "second")
        ]

    def fuse(self, first, second):
        first, second = self.project(first, second)
        product = ops.multiply(
            linear(first, *self.merges[0]), linear(second, *self.merges[1])
        )
        product = split_features(product, self.rank, self.hidden_units)
        return ops.sum(product, axis=-2)

    def get_config(self):
        return {**super().get_config(), "rank": self.rank}


@keras.saving.register_keras_serializable(package="kmul")
class MFBFusion(Fusion):
    """Multimodal factorized bilinear pooling.

    ```
    y = O(l2(ssqrt(sumpool_k(L_1 x_1 ∘ L_2 x_2))))
    ```

    with ssqrt(z) = sign(z) √abs(z), l2 the division by the L2 norm, and the sum
    over groups of k = `factor` neighbours. Both have a finite gradient at 0.

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width of the pooled product.
        factor: Positive integer, how many products are summed.
        normalize: Boolean, whether the product is normalized by ssqrt and l2.
        **kwargs: `use_bias`, `kernel_initializer`, `kernel_regularizer`,
            `kernel_constraint` of all kernels, the same of the biases, as in
            `keras.layers.Dense`, and the arguments of every layer, `name` and
            `dtype` for example.

    Call arguments:
        inputs: List or tuple of two tensors, `[x_1, x_2]`.

    Input shape:
        Two of `(batch, ..., features_i)`, of rank 2 or more, equal before the
        last axis.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order, kernels being transposes of the original's:
    `first_kernel` L_1 (features_1, hidden_units · factor), the factor varying
    fastest, and `first_bias` (linear0), `second_kernel` L_2 and `second_bias`
    (linear1), `output_kernel` O and `output_bias` (linear_out).

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a, b = keras.Input((128,)), keras.Input((64,))
    y = kmul.layers.MFBFusion(10)([a, b])
    ```

    Reference:
        - [Multi-modal Factorized Bilinear Pooling with Co-Attention Learning
          for Visual Question Answering (Yu et al., 2017)](
          https://arxiv.org/abs/1708.01471)
    """

    def __init__(
        self, units, hidden_units=256, factor=5, normalize=True, **kwargs
    ):
        check_positive_integer("factor", factor)
        super().__init__(units, hidden_units, **kwargs)
        self.factor = factor
        self.normalize = normalize

    def build_product(self, first, second):
        self.add_projections(first, second, self.hidden_units * self.factor)

    def fuse(self, first, second):
        return self.pool(ops.multiply(*self.project(first, second)))

    def pool(self, product):
        product = split_features(product, self.hidden_units, self.factor)
        pooled = ops.sum(product, axis=-1)
        return self.normalize_product(pooled) if self.normalize else pooled

    def get_config(self):
        return {
            **super().get_config(),
            "factor": self.factor,
            "normalize": self.normalize,
        }


@keras.saving.register_keras_serializable(package="kmul")
class MFHFusion(MFBFusion):
    """Multimodal factorized high-order pooling: a cascade of MFB blocks.

    ```
    z_0 = L_1⁰ x_1 ∘ L_2⁰ x_2    z_i = L_1ⁱ x_1 ∘ L_2ⁱ x_2 ∘ z_{i−1}
    y = O([pool(z_0), pool(z_1), ...])
    ```

    with the pooling of `MFBFusion`, sum, signed square root and L2 norm. The
    products are handed on unpooled.

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width of each pooled product.
        factor: Positive integer, how many products are summed.
        order: Positive integer, the number of blocks.
        normalize: Boolean, whether the products are normalized.
        **kwargs: `use_bias`, `kernel_initializer`, `kernel_regularizer`,
            `kernel_constraint` of all kernels, the same of the biases, as in
            `keras.layers.Dense`, and the arguments of every layer, `name` and
            `dtype` for example.

    Call arguments:
        inputs: List or tuple of two tensors, `[x_1, x_2]`.

    Input shape:
        Two of `(batch, ..., features_i)`, of rank 2 or more, equal before the
        last axis.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order, kernels being transposes of the original's: for
    each block i from 0 `first_kernel_i` (features_1, hidden_units · factor),
    `first_bias_i` (linear0_i), `second_kernel_i` and `second_bias_i`
    (linear1_i), then `output_kernel` O (order · hidden_units, units) and
    `output_bias` (linear_out).

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a, b = keras.Input((128,)), keras.Input((64,))
    y = kmul.layers.MFHFusion(10)([a, b])
    ```

    Reference:
        - [Beyond Bilinear: Generalized Multi-modal Factorized High-order
          Pooling for Visual Question Answering (Yu et al., 2017)](
          https://arxiv.org/abs/1708.03619)
    """

    def __init__(
        self,
        units,
        hidden_units=256,
        factor=5,
        order=2,
        normalize=True,
        **kwargs,
    ):
        check_positive_integer("order", order)
        super().__init__(units, hidden_units, factor, normalize, **kwargs)
        self.order = order

    def build_product(self, first, second):
        width = self.hidden_units * self.factor
        self.blocks = []
        for i in range(self.order):
            self.blocks.append(
                [
                    (
                        self.add_kernel(f"{name}_kernel_{i}", (size, width)),
                        self.add_bias(f"{name}_bias_{i}", width),
                    )
                    for name, size in (("first", first), ("second", second))
                ]
            )

    def product_width(self):
        return self.order * self.hidden_units

    def fuse(self, first, second):
        product, pooled = None, []
        for first_layer, second_layer in self.blocks:
            each = ops.multiply(
                linear(first, *first_layer), linear(second, *second_layer)
            )
            product = each if product is None else ops.multiply(each, product)
            pooled.append(self.pool(product))
        return ops.concatenate(pooled, axis=-1)

    def get_config(self):
        return {**super().get_config(), "order": self.order}


@keras.saving.register_keras_serializable(package="kmul")
class TuckerFusion(Fusion):
    """Bilinear fusion in Tucker form, with a full core tensor.

    ```
    y = O(𝐓 ×_1 x̃_1 ×_2 x̃_2 + t)    x̃_i = L_i x_i
    ```

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the size of each axis of the core 𝐓.
        **kwargs: `use_bias`, `kernel_initializer`, `kernel_regularizer`,
            `kernel_constraint` of all kernels, the same of the biases, as in
            `keras.layers.Dense`, and the arguments of every layer, `name` and
            `dtype` for example.

    Call arguments:
        inputs: List or tuple of two tensors, `[x_1, x_2]`.

    Input shape:
        Two of `(batch, ..., features_i)`, of rank 2 or more, equal before the
        last axis.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order, kernels being transposes of the original's:
    `first_kernel` L_1 and `first_bias` (linear0), `second_kernel` L_2 and
    `second_bias` (linear1), `core_kernel` 𝐓 (hidden_units, hidden_units,
    hidden_units), the axes being x̃_1, x̃_2 and the product, which is the
    weight of the original's `nn.Bilinear` transposed by (1, 2, 0), `core_bias`
    t, `output_kernel` O and `output_bias` (linear_out).

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a, b = keras.Input((128,)), keras.Input((64,))
    y = kmul.layers.TuckerFusion(10, hidden_units=32)([a, b])
    ```

    Reference:
        - [MUTAN: Multimodal Tucker Fusion for Visual Question Answering
          (Ben-younes et al., 2017)](https://arxiv.org/abs/1705.06676)
    """

    def __init__(self, units, hidden_units=64, **kwargs):
        super().__init__(units, hidden_units, **kwargs)

    def build_product(self, first, second):
        hidden = self.hidden_units
        self.add_projections(first, second, hidden)
        self.core_kernel = self.add_kernel(
            "core_kernel", (hidden, hidden, hidden)
        )
        self.core_bias = self.add_bias("core_bias", hidden)

    def fuse(self, first, second):
        kernel = ops.convert_to_tensor(self.core_kernel)
        product = bilinear(*self.project(first, second), kernel)
        if self.core_bias is not None:
            product = ops.add(product, self.core_bias)
        return product


@keras.saving.register_keras_serializable(package="kmul")
class BLOCKFusion(MUTANFusion):
    """Bilinear superdiagonal fusion: MUTAN in each of several chunks.

    ```
    z_c = l2(ssqrt(Σ_r (M_1,cʳ x̃_1,c)∘(M_2,cʳ x̃_2,c)))    x̃_i = L_i x_i
    y = O([z_1, ..., z_chunks])
    ```

    where x̃_i,c is the c-th of equal chunks of x̃_i, ssqrt(z) = sign(z) √abs(z)
    and l2 the division by the L2 norm. Both have a finite gradient at 0.

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width of the projections and of
            the product, a multiple of `chunks`.
        rank: Positive integer, the number of summands in each chunk.
        chunks: Positive integer, the number of chunks.
        normalize: Boolean, whether chunks are normalized by ssqrt and l2.
        **kwargs: `use_bias`, `kernel_initializer`, `kernel_regularizer`,
            `kernel_constraint` of all kernels, the same of the biases, as in
            `keras.layers.Dense`, and the arguments of every layer, `name` and
            `dtype` for example.

    Call arguments:
        inputs: List or tuple of two tensors, `[x_1, x_2]`.

    Input shape:
        Two of `(batch, ..., features_i)`, of rank 2 or more, equal before the
        last axis.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order, kernels being transposes of the original's:
    `first_kernel` L_1 and `first_bias` (linear0), `second_kernel` L_2 and
    `second_bias` (linear1), `first_merge_kernel` (size, chunks · rank · size)
    with size = hidden_units / chunks, the kernels of merge_linears0 side by
    side, chunk by chunk, the rank varying slowest in each, and
    `first_merge_bias`, the same for `second_merge` (merge_linears1),
    `output_kernel` O and `output_bias` (linear_out).

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a, b = keras.Input((128,)), keras.Input((64,))
    y = kmul.layers.BLOCKFusion(10, chunks=8)([a, b])
    ```

    Reference:
        - [BLOCK: Bilinear Superdiagonal Fusion for Visual Question Answering
          and Visual Relationship Detection (Ben-younes et al., 2019)](
          https://arxiv.org/abs/1902.00038)
    """

    def __init__(
        self,
        units,
        hidden_units=256,
        rank=5,
        chunks=16,
        normalize=True,
        **kwargs,
    ):
        check_positive_integer("chunks", chunks)
        super().__init__(units, hidden_units, rank, **kwargs)
        if hidden_units % chunks:
            raise ValueError(
                "The argument `hidden_units` should be a multiple of `chunks`. "
                f"Received: hidden_units={hidden_units}, chunks={chunks}"
            )
        self.chunks = chunks
        self.normalize = normalize

    def build_product(self, first, second):
        self.add_projections(first, second, self.hidden_units)
        size = self.hidden_units // self.chunks
        width, parts = self.rank * self.hidden_units, self.chunks * self.rank
        self.merges = [
            self.add_linear(f"{name}_merge", size, width, parts)
            for name in ("first", "second")
        ]

    def fuse(self, first, second):
        size = self.hidden_units // self.chunks
        first, second = self.project(first, second)
        product = ops.multiply(
            self._merge(first, *self.merges[0]),
            self._merge(second, *self.merges[1]),
        )
        product = split_features(product, self.rank, size)
        product = ops.sum(product, axis=-2)
        if self.normalize:
            product = self.normalize_product(product)
        shape = (*ops.shape(first)[:-1], self.hidden_units)
        return ops.reshape(product, shape)

    def _merge(self, projected, kernel, bias):
        """Returns (batch, ..., chunks, rank · size)."""
        size = self.hidden_units // self.chunks
        width = self.rank * size
        # An ellipsis in their place would be slow on TensorFlow.
        axes = "abdefgh"[: len(projected.shape) - 1]
        merged = ops.einsum(
            f"{axes}cs,scw->{axes}cw",
            split_features(projected, self.chunks, size),
            ops.reshape(kernel, (size, self.chunks, width)),
        )
        if bias is not None:
            merged = ops.add(merged, ops.reshape(bias, (self.chunks, width)))
        return merged

    def get_config(self):
        return {
            **super().get_config(),
            "chunks": self.chunks,
            "normalize": self.normalize,
        }


@keras.saving.register_keras_serializable(package="kmul")
class TensorFusion(KernelLayer):
    """Tensor fusion: the outer product of all modalities.

    ```
    z = [1; x_1]⊗[1; x_2]⊗...    y = zᵀW + b
    ```

    With `units=None` the output is z itself, flattened. Otherwise z is never
    made where a cheaper order of contraction exists.

    Args:
        units: Positive integer, the size of the output's last axis, or
            `None`.
        **kwargs: `use_bias`, `kernel_initializer`, `kernel_regularizer`,
            `kernel_constraint` of W, the same of the bias, as in
            `keras.layers.Dense`, and the arguments of every layer, `name` and
            `dtype` for example.

    Call arguments:
        inputs: List or tuple of two or more tensors.

    Input shape:
        `(batch, ..., features_i)`, of rank 2 or more, equal before the last
        axis.

    Output shape:
        `(batch, ..., units)`, or `(batch, ..., Π_i (1 + features_i))`.

    Weights, if `units` is given: `kernel` W (Π_i (1 + features_i), units), the
    first modality varying slowest, `bias` (units,). W is the transpose of the
    linear layer that follows the fusion in the original.

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a, b = keras.Input((16,)), keras.Input((8,))
    y = kmul.layers.TensorFusion(10)([a, b])
    z = kmul.layers.TensorFusion()([a, b])  # (batch, 17 · 9)
    ```

    Reference:
        - [Tensor Fusion Network for Multimodal Sentiment Analysis (Zadeh et
          al., 2017)](https://arxiv.org/abs/1707.07250)
    """

    def __init__(self, units=None, **kwargs):
        if units is not None:
            check_positive_integer("units", units)
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        width = self._product_width(input_shape)
        if self.units is not None:
            self.kernel = self.add_kernel("kernel", (width, self.units))
            self.bias = self.add_bias("bias", self.units)

    def call(self, inputs):
        inputs = [
            ops.concatenate([ops.ones_like(x[..., :1]), x], axis=-1)
            for x in inputs
        ]
        if self.units is None:
            return functools.reduce(outer_product, inputs)
        first = functools.reduce(outer_product, inputs[:-1])
        shape = (first.shape[-1], inputs[-1].shape[-1], self.units)
        kernel = ops.reshape(self.kernel, shape)
        outputs = bilinear(first, inputs[-1], kernel)
        return outputs if self.bias is None else ops.add(outputs, self.bias)

    def compute_output_shape(self, input_shape):
        width = self._product_width(input_shape)
        leading = tuple(input_shape[0])[:-1]
        return (*leading, width if self.units is None else self.units)

    def _product_width(self, input_shape):
        width = 1
        for shape in check_shapes("TensorFusion", input_shape):
            width *= 1 + shape[-1]
        return width

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="kmul")
class LowRankFusion(KernelLayer):
    """Low-rank multimodal fusion (LMF): a tensor fusion of low rank.

    ```
    y = Σ_r w_r Π_m ([1; x_m] F_mʳ) + b
    ```

    Args:
        units: Positive integer, the size of the output's last axis.
        rank: Positive integer, the number of summands.
        **kwargs: `use_bias` (of b), `kernel_initializer`,
            `kernel_regularizer`, `kernel_constraint` of F and w, the same of
            the bias, as in `keras.layers.Dense`, and the arguments of every
            layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of two or more tensors.

    Input shape:
        `(batch, ..., features_i)`, of rank 2 or more, equal before the last
        axis.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order: `factor_m` F_m (1 + features_m, rank · units) for
    each modality from 1, which is the original's (rank, 1 + features, units)
    transposed by (1, 0, 2) and reshaped, `rank_kernel` w (1, rank), `bias` b
    (units,).

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    a, b = keras.Input((128,)), keras.Input((64,))
    y = kmul.layers.LowRankFusion(10, rank=4)([a, b])
    ```

    Reference:
        - [Efficient Low-rank Multimodal Fusion with Modality-Specific Factors
          (Liu et al., 2018)](https://arxiv.org/abs/1806.00064)
    """

    def __init__(self, units, rank=4, **kwargs):
        check_positive_integer("units", units)
        check_positive_integer("rank", rank)
        super().__init__(**kwargs)
        self.units = units
        self.rank = rank

    def build(self, input_shape):
        shapes = check_shapes("LowRankFusion", input_shape)
        width = self.rank * self.units
        self.factors = [
            self.add_kernel(f"factor_{m}", (1 + shape[-1], width), self.rank)
            for m, shape in enumerate(shapes, 1)
        ]
        self.rank_kernel = self.add_kernel("rank_kernel", (1, self.rank))
        self.bias = self.add_bias("bias", self.units)

    def call(self, inputs):
        product = None
        for x, factor in zip(inputs, self.factors, strict=True):
            factor = ops.convert_to_tensor(factor)
            # The row for the 1 is a bias.
            each = linear(x, factor[1:], factor[0])
            product = each if product is None else ops.multiply(product, each)
        product = split_features(product, self.rank, self.units)
        weights = ops.reshape(self.rank_kernel, (self.rank, 1))
        outputs = ops.sum(ops.multiply(product, weights), axis=-2)
        return outputs if self.bias is None else ops.add(outputs, self.bias)

    def compute_output_shape(self, input_shape):
        shapes = check_shapes("LowRankFusion", input_shape)
        return (*shapes[0][:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "rank": self.rank,
        }
