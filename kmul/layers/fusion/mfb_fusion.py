import keras
from keras import ops

from kmul._contractions import split_features
from kmul._validation import check_boolean
from kmul._validation import check_positive_integer
from kmul.layers.fusion._base import Fusion
from kmul.layers.fusion._base import apply_pair
from kmul.layers.fusion._base import normalize_product


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
        activation: Activation of the output, none by default.
        dropout: Number in [0, 1), how many of the products are dropped in
            training, before they are summed.
        use_bias: Boolean, whether there are biases.
        kernel_initializer: Initializer of all kernels.
        bias_initializer: Initializer of all biases.
        kernel_regularizer: Regularizer of all kernels.
        bias_regularizer: Regularizer of all biases.
        kernel_constraint: Constraint on all kernels.
        bias_constraint: Constraint on all biases.
        seed: Integer, the seed of the dropout.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

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
        self,
        units,
        hidden_units=256,
        factor=5,
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
        factor = check_positive_integer("factor", factor)
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
        self.factor = factor
        self.normalize = normalize

    def build_product(self, first, second):
        width = self.hidden_units * self.factor
        self.projections = self.add_pair("", first, second, width)

    def fuse(self, first, second, training):
        projected = apply_pair(self.projections, first, second)
        return self.pool(self.drop(ops.multiply(*projected), training))

    def pool(self, product):
        product = split_features(product, self.hidden_units, self.factor)
        pooled = ops.sum(product, axis=-1)
        if not self.normalize:
            return pooled
        return normalize_product(pooled, self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "factor": self.factor,
            "normalize": self.normalize,
        }
