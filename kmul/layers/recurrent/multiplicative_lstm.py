import keras

from kmul.layers.recurrent._base import RecurrentLayer
from kmul.layers.recurrent._base import cell_options
from kmul.layers.recurrent.multiplicative_lstm_cell import (
    MultiplicativeLSTMCell,
)


@keras.saving.register_keras_serializable(package="kmul")
class MultiplicativeLSTM(RecurrentLayer):
    """An LSTM whose gates see input and state multiplied with each other.

    ```
    m_t = (x_t W_m) ∘ (h_{t−1} K)
    [i, f, g, o] = x_t W + m_t R + b
    c_t = σ(f) ∘ c_{t−1} + σ(i) ∘ act(g)
    h_t = σ(o) ∘ act(c_t)
    ```

    Used like `keras.layers.LSTM`, alone or in `keras.layers.Bidirectional`.

    Args:
        units: Positive integer, the size of the output, of both states and of
            m.
        activation: Activation of g and of c.
        recurrent_activation: Activation of the gates i, f and o.
        use_bias: Boolean, whether there is the bias b.
        kernel_initializer: Initializer of [W_m, W].
        recurrent_initializer: Initializer of K and of R.
        bias_initializer: Initializer of b.
        unit_forget_bias: Boolean, whether the part of b for f starts at 1.
        kernel_regularizer: Regularizer of [W_m, W].
        recurrent_regularizer: Regularizer of K and of R.
        bias_regularizer: Regularizer of b.
        kernel_constraint: Constraint on [W_m, W].
        recurrent_constraint: Constraint on K and on R.
        bias_constraint: Constraint on b.
        dropout: Number in [0, 1), how much of x is dropped in training, the
            same at all steps.
        recurrent_dropout: Number in [0, 1), how much of h is dropped in K's
            product in training, the same at all steps.
        seed: Integer, the seed of the dropout.
        return_sequences: Boolean, whether the output has all steps, not the
            last alone.
        return_state: Boolean, whether the last states are returned after the
            output.
        go_backwards: Boolean, whether to begin at the end. The output then has
            the last step first.
        stateful: Boolean, whether a batch begins with the states that the one
            before ended with.
        unroll: Boolean, whether the steps are written out, for short sequences
            of a known length.
        zero_output_for_mask: Boolean, whether the output of a masked step is
            zero, not that of the step before.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        sequences: Tensor of shape `(batch, length, features)`.
        initial_state: List of two tensors of shape `(batch, units)`, h and c,
            zeros by default.
        mask: Boolean tensor of shape `(batch, length)`, the steps to take.
        training: Boolean, whether to drop.

    Input shape:
        `(batch, length, features)`; the length may be unknown.

    Output shape:
        `(batch, units)`, or `(batch, length, units)` with `return_sequences`.
        With `return_state`, h and c of shape `(batch, units)` follow.

    Weights, in this order: `kernel` [W_m, W] (features, 5 · units),
    `multiplicative_kernel` K (units, units), `recurrent_kernel` R (units,
    4 · units), `bias` b (4 · units,). The gates are in the order of
    `keras.layers.LSTM`.

    Masking: masked steps keep the states. The mask is passed on with
    `return_sequences`.

    Example:

    ```python
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(50, 16, mask_zero=True)(tokens)
    y = kmul.layers.MultiplicativeLSTM(32, return_sequences=True)(x)
    ```

    Reference:
        - [Multiplicative LSTM for sequence modelling (Krause et al., 2016)](
          https://arxiv.org/abs/1609.07959)
    """

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        zero_output_for_mask=False,
        **kwargs,
    ):
        cell = MultiplicativeLSTMCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **cell_options(kwargs),
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            zero_output_for_mask=zero_output_for_mask,
            **kwargs,
        )
