import keras
from keras import ops

from kmul._contractions import linear
from kmul._contractions import split_features
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._sums import add_bias
from kmul._validation import check_positive_integer
from kmul._validation import check_shapes
from kmul.layers._kernel_layer import KernelLayer


@keras.saving.register_keras_serializable(package="kmul")
class LowRankFusion(KernelLayer):
    """Low-rank multimodal fusion (LMF): a tensor fusion of low rank.

    ```
    y = Σ_r w_r Π_m ([1; x_m] F_mʳ) + b
    ```

    Args:
        units: Positive integer, the size of the output's last axis.
        rank: Positive integer, the number of summands.
        use_bias: Boolean, whether there is the bias b.
        kernel_initializer: Initializer of F and w.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of F and w.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on F and w.
        bias_constraint: Constraint on the bias.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

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

    def __init__(
        self,
        units,
        rank=4,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        units = check_positive_integer("units", units)
        rank = check_positive_integer("rank", rank)
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
        self.rank = rank

    def build(self, input_shape):
        shapes = check_shapes("LowRankFusion", input_shape)
        self.input_spec = [fixed_width(shape) for shape in shapes]
        width = self.rank * self.units
        self.factors = [
            self.add_kernel(f"factor_{m}", (1 + shape[-1], width), self.rank)
            for m, shape in enumerate(shapes, 1)
        ]
        self.rank_kernel = self.add_kernel("rank_kernel", (1, self.rank))
        self.bias = self.add_bias("bias", self.units)

    def call(self, inputs):
        """Returns the fusion of all inputs.

        Args:
            inputs: List or tuple of two or more tensors of shape
                `(batch, ..., features_i)`.

        Returns:
            Tensor of shape `(batch, ..., units)`.
        """
        inputs = receive(self, inputs)
        product = None
        for x, factor in zip(inputs, self.factors, strict=True):
            factor = ops.convert_to_tensor(factor)
            # The row for the 1 is a bias.
            each = linear(x, factor[1:], factor[0])
            product = each if product is None else ops.multiply(product, each)
        product = split_features(product, self.rank, self.units)
        weights = ops.reshape(self.rank_kernel, (self.rank, 1))
        outputs = ops.sum(ops.multiply(product, weights), axis=-2)
        return add_bias(outputs, self.bias)

    def compute_output_shape(self, input_shape):
        shapes = check_shapes("LowRankFusion", input_shape)
        return (*shapes[0][:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "rank": self.rank,
        }
