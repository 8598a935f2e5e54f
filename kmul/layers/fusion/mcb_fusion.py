import keras
from keras import ops

from kmul._branches import branch_seed
from kmul._sums import add
from kmul._validation import check_boolean
from kmul.layers.fusion._base import Fusion
from kmul.layers.fusion._base import normalize_product


@keras.saving.register_keras_serializable(package="kmul")
class MCBFusion(Fusion):
    """Multimodal compact bilinear pooling: a sketch of the outer product.

    ```
    y = O(l2(ssqrt(Ψ_1(x_1) ⊛ Ψ_2(x_2))))
    Ψ_i(x)_k = Σ_j s_i(j) x_j    over all j with h_i(j) = k
    ```

    where ⊛ is the circular convolution, computed by Fourier transforms. It is
    the count sketch of x_1⊗x_2 in `hidden_units` numbers. The index h_i(j) and
    the sign s_i(j) of each feature are drawn once and not trained. ssqrt(z) =
    sign(z) √abs(z), and l2 is the division by the L2 norm; both have a finite
    gradient at 0.

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the size of the sketch, usually much
            smaller than features_1 · features_2. Some elements of a larger one
            are 0 but for rounding errors, which ssqrt makes large.
        normalize: Boolean, whether the product is normalized by ssqrt and l2.
        activation: Activation of the output, none by default.
        dropout: Number in [0, 1), how much of the product is dropped in
            training.
        use_bias: Boolean, whether there is the bias of O.
        kernel_initializer: Initializer of the kernel of O.
        bias_initializer: Initializer of its bias.
        kernel_regularizer: Regularizer of the kernel.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on the kernel.
        bias_constraint: Constraint on the bias.
        seed: Integer, the seed of h_i and s_i and of the dropout.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of two tensors, `[x_1, x_2]`.

    Input shape:
        Two of `(batch, ..., features_i)`, of rank 2 or more, equal before the
        last axis.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order: `output_kernel` O (hidden_units, units) and
    `output_bias` (units,), trained; `first_index` h_1 and `first_sign` s_1,
    both (features_1,), `second_index` h_2 and `second_sign` s_2, fixed.

    Masking: the output is masked wherever any input is.

    `model.export(format="onnx")` fails on this layer: no exporter knows its
    Fourier transform.

    Example:

    ```python
    a, b = keras.Input((128,)), keras.Input((64,))
    y = kmul.layers.MCBFusion(10, hidden_units=512)([a, b])
    ```

    Reference:
        - [Compact Bilinear Pooling (Gao et al., 2015)](
          https://arxiv.org/abs/1511.06062)
        - [Multimodal Compact Bilinear Pooling for Visual Question Answering
          and Visual Grounding (Fukui et al., 2016)](
          https://arxiv.org/abs/1606.01847)
    """

    def __init__(
        self,
        units,
        hidden_units=1024,
        normalize=True,
        activation=None,
        dropout=0.0,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        seed=None,
        **kwargs,
    ):
        normalize = check_boolean("normalize", normalize)
        super().__init__(
            units,
            hidden_units,
            activation=activation,
            dropout=dropout,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            seed=seed,
            **kwargs,
        )
        self.normalize = normalize

    def build_product(self, first, second):
        self.sketches = [
            self._add_sketch("first", first, 0),
            self._add_sketch("second", second, 2),
        ]

    def fuse(self, first, second, training):
        # Fourier transforms have no half precision.
        wide = "float64" if self.compute_dtype == "float64" else "float32"
        (a, b), (c, d) = (
            ops.rfft(self._sketch(ops.cast(x, wide), *sketch))
            for x, sketch in zip((first, second), self.sketches, strict=True)
        )
        product = (
            ops.subtract(ops.multiply(a, c), ops.multiply(b, d)),
            add(ops.multiply(a, d), ops.multiply(b, c)),
        )
        product = ops.irfft(product, self.hidden_units)
        product = ops.cast(product, self.compute_dtype)
        if self.normalize:
            product = normalize_product(product, self.compute_dtype)
        return self.drop(product, training)

    def _add_sketch(self, name, width, branch):
        """Adds the index and the sign of each feature."""
        index = self.add_weight(
            name=f"{name}_index",
            shape=(width,),
            dtype="int32",
            initializer=self._draw(self.hidden_units, branch),
            trainable=False,
        )
        sign = self.add_weight(
            name=f"{name}_sign",
            shape=(width,),
            initializer=lambda shape, dtype: ops.cast(
                2 * self._draw(2, branch + 1)(shape) - 1, dtype
            ),
            trainable=False,
        )
        return index, sign

    def _draw(self, count, branch):
        """Returns an initializer of integers below `count`."""
        seed = None if self.seed is None else branch_seed(self.seed, branch)

        def initialize(shape, dtype="int32"):
            return keras.random.randint(shape, 0, count, dtype, seed)

        return initialize

    def _sketch(self, inputs, index, sign):
        """Returns Ψ(x) for the last axis of the inputs."""
        signed = ops.multiply(inputs, ops.cast(sign, inputs.dtype))
        # `ops.segment_sum` would round to single precision on torch.
        places = ops.one_hot(index, self.hidden_units, dtype=inputs.dtype)
        return ops.matmul(signed, places)

    def get_config(self):
        return {**super().get_config(), "normalize": self.normalize}
