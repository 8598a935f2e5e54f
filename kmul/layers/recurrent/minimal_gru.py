import keras
from keras import ops

from kmul._scans import linear_recurrence
from kmul.layers.recurrent._base import RecurrentLayer
from kmul.layers.recurrent._base import cell_options
from kmul.layers.recurrent.minimal_gru_cell import MinimalGRUCell


@keras.saving.register_keras_serializable(package="kmul")
class MinimalGRU(RecurrentLayer):
    """A GRU whose gate doesn't see the state: minGRU, all steps in parallel.

    ```
    [u_t, v_t] = x_t W + b
    h_t = (1 − σ(u_t)) ∘ h_{t−1} + σ(u_t) ∘ act(v_t)
    ```

    Each step is linear in the state, so two steps are together one of the same
    form, and all of them are computed in log2(length) rounds, not in `length`.
    Stack several of these layers: one alone can't let what it remembers decide
    what it keeps.

    Used like `keras.layers.GRU`, alone or in `keras.layers.Bidirectional`.

    Args:
        units: Positive integer, the size of the output and of the state.
        activation: Activation of v, none by default.
        recurrent_activation: Activation of u, to between 0 and 1.
        use_bias: Boolean, whether there is the bias b.
        kernel_initializer: Initializer of W.
        bias_initializer: Initializer of b.
        kernel_regularizer: Regularizer of W.
        bias_regularizer: Regularizer of b.
        kernel_constraint: Constraint on W.
        bias_constraint: Constraint on b.
        dropout: Number in [0, 1), how much of x is dropped in training, the
            same at all steps.
        seed: Integer, the seed of the dropout.
        return_sequences: Boolean, whether the output has all steps, not the
            last alone.
        return_state: Boolean, whether the last state is returned after the
            output.
        go_backwards: Boolean, whether to begin at the end. The output then has
            the last step first.
        stateful: Boolean, whether a batch begins with the state that the one
            before ended with.
        unroll: Boolean, whether the steps are written out one after the other,
            for short sequences of a known length.
        zero_output_for_mask: Boolean, whether the output of a masked step is
            zero, not the state that it keeps.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        sequences: Tensor of shape `(batch, length, features)`. On TensorFlow a
            length that is unknown while the step is traced makes the steps run
            one after the other.
        initial_state: Tensor of shape `(batch, units)`, or a list of it, zeros
            by default.
        mask: Boolean tensor of shape `(batch, length)`, the steps to take.
        training: Boolean, whether to drop.

    Input shape:
        `(batch, length, features)`; the length may be unknown.

    Output shape:
        `(batch, units)`, or `(batch, length, units)` with `return_sequences`.
        With `return_state`, the state of shape `(batch, units)` follows.

    Weights, in this order: `kernel` W (features, 2 · units), the part of u
    first, `bias` b (2 · units,).

    Masking: masked steps keep the state. The mask is passed on with
    `return_sequences`.

    Example:

    ```python
    x = keras.Input((None, 16))
    y = kmul.layers.MinimalGRU(32, return_sequences=True)(x)
    y = kmul.layers.MinimalGRU(32)(y)
    ```

    Reference:
        - [Were RNNs All We Needed? (Feng et al., 2024)](
          https://arxiv.org/abs/2410.01201)
    """

    def __init__(
        self,
        units,
        activation=None,
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        zero_output_for_mask=False,
        **kwargs,
    ):
        cell = MinimalGRUCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
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

    def inner_loop(self, sequences, initial_state, mask, training=False):
        if self.unroll or sequences.shape[1] is None:
            return super().inner_loop(sequences, initial_state, mask, training)
        if self.go_backwards:
            sequences = ops.flip(sequences, 1)
            mask = None if mask is None else ops.flip(mask, 1)
        if training and self.cell.dropout:
            kept = self.cell.get_dropout_mask(sequences[:, 0])
            sequences = ops.multiply(sequences, ops.expand_dims(kept, 1))
        update, new = self.cell.project(sequences)
        factors, terms = ops.subtract(1, update), ops.multiply(update, new)
        if mask is not None:
            mask = ops.expand_dims(mask, -1)
            factors = ops.where(mask, factors, ops.ones_like(factors))
            terms = ops.where(mask, terms, ops.zeros_like(terms))
        states = linear_recurrence(factors, terms, initial_state[0])
        outputs = states
        if mask is not None and self.zero_output_for_mask:
            outputs = ops.where(mask, states, ops.zeros_like(states))
        return outputs[:, -1], outputs, [states[:, -1]]
