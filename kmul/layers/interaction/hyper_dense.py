import keras
from keras import ops

from kmul._contractions import linear
from kmul._contractions import split_features
from kmul._sums import add
from kmul._validation import check_shapes
from kmul.layers.interaction.multiplicative_interaction import (
    MultiplicativeInteraction,
)


@keras.saving.register_keras_serializable(package="kmul")
class HyperDense(MultiplicativeInteraction):
    """A dense layer whose weights are generated from a context.

    ```
    W' = zᵀ𝐖 + V    b' = zᵀU + b    y = activation(W'x + b')
    ```

    This is the full form of `MultiplicativeInteraction` seen from the other
    side, computed by the same code: the generated weights are only made where
    that is the cheapest order, as it is where one context is shared by many
    positions of `x`. `generate` returns them.

    Args:
        units: Positive integer, the size of the output's last axis.
        activation: Activation of the output, none by default.
        use_bias: Boolean, whether there is the bias `b`.
        kernel_initializer: Initializer of all kernels.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of all kernels.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on all kernels.
        bias_constraint: Constraint on the bias.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of two tensors, `[x, z]`, the input of the dense
            layer and the context that its weights are generated from.

    Input shape:
        `x`: `(batch, ..., n)`, of rank 2 or more. `z`: `(batch, ..., m)` with
        the same axes before the last one, or `(batch, m)`, for which one
        kernel per sample is generated.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order: `interaction_kernel` (m, n, units), `input_kernel`
    (n, units), `context_kernel_1` (m, units), `bias` (units,). A hypernetwork
    whose linear head maps z to a kernel of shape (n, units) row by row has
    `interaction_kernel.reshape(m, n * units)` as the head's kernel and
    `input_kernel.reshape(n * units)` as its bias.

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    x = keras.Input((20, 128))
    z = keras.Input((64,))
    y = kmul.layers.HyperDense(10)([x, z])  # (batch, 20, 10)
    ```

    Reference:
        - [HyperNetworks (Ha et al., 2016)](https://arxiv.org/abs/1609.09106)
        - [Multiplicative Interactions and Where to Find Them (Jayakumar et
          al., 2020)](https://openreview.net/forum?id=rylnK6VtDH)
    """

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(
            units,
            form="full",
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )

    def generate(self, context):
        """Returns the kernel and the bias of the dense layer for a context.

        Args:
            context: Tensor of shape `(batch, ..., m)`.

        Returns:
            A kernel of shape `(batch, ..., n, units)` and a bias of shape
            `(batch, ..., units)`.
        """
        m, n, units = self.interaction_kernel.shape
        context = ops.convert_to_tensor(context, self.compute_dtype)
        kernel = ops.reshape(self.interaction_kernel, (m, n * units))
        kernel = split_features(ops.matmul(context, kernel), n, units)
        bias = linear(context, self.context_kernels[0], self.bias)
        return add(kernel, self.input_kernel), bias

    def _check_shapes(self, input_shape):
        return check_shapes("HyperDense", input_shape, maximum=2, shared=True)

    def get_config(self):
        config = super().get_config()
        del config["form"], config["rank"], config["interactions"]
        return config
