import keras
from keras import ops

from kmul._validation import check_positive_integer
from kmul.layers.fusion._base import apply_pair
from kmul.layers.fusion.mfb_fusion import MFBFusion


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
        order = check_positive_integer("order", order)
        super().__init__(
            units,
            hidden_units,
            factor,
            normalize,
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
        self.order = order

    def build_product(self, first, second):
        width = self.hidden_units * self.factor
        self.blocks = [
            [
                (
                    self.add_kernel(f"{name}_kernel_{i}", (size, width)),
                    self.add_bias(f"{name}_bias_{i}", width),
                )
                for name, size in (("first", first), ("second", second))
            ]
            for i in range(self.order)
        ]

    def product_width(self):
        return self.order * self.hidden_units

    def fuse(self, first, second, training):
        product, pooled = None, []
        for block in self.blocks:
            each = ops.multiply(*apply_pair(block, first, second))
            each = self.drop(each, training)
            product = each if product is None else ops.multiply(each, product)
            pooled.append(self.pool(product))
        return ops.concatenate(pooled, axis=-1)

    def get_config(self):
        return {**super().get_config(), "order": self.order}
