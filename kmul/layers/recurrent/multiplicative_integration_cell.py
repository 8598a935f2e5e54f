import keras
from keras import ops

from kmul._sums import add
from kmul._sums import add_bias
from kmul._validation import check_boolean
from kmul._validation import check_choice
from kmul.layers.recurrent._base import RecurrentCell
from kmul.layers.recurrent._base import lstm_bias
from kmul.layers.recurrent._base import lstm_step

# How many projections each kind of cell has, side by side.
PARTS = {"simple": 1, "gru": 3, "lstm": 4}


@keras.saving.register_keras_serializable(package="kmul")
class MultiplicativeIntegrationCell(RecurrentCell):
    """A simple, GRU or LSTM cell that multiplies its two projections.

    Wherever the cell adds up the projections of the input x and of the state
    h, x W + h U + b, it has instead

    ```
    α ∘ x W ∘ h U + β_1 ∘ h U + β_2 ∘ x W + b
    ```

    α, β_1 and β_2 are vectors. With α = 0 and β_1 = β_2 = 1 it is the cell of
    Keras; `"gru"` is that of `keras.layers.GRU(reset_after=False)`.

    Args:
        units: Positive integer, the size of the output and of each state.
        cell: `"simple"`, `"gru"` or `"lstm"`, the kind of cell.
        activation: Activation of the output of a simple cell, of the candidate
            of a GRU, of g and of c in an LSTM.
        recurrent_activation: Activation of the gates of a GRU or LSTM.
        use_bias: Boolean, whether there is the bias b.
        kernel_initializer: Initializer of W.
        recurrent_initializer: Initializer of U.
        bias_initializer: Initializer of b.
        alpha_initializer: Initializer of α.
        beta_initializer: Initializer of β_1 and of β_2.
        unit_forget_bias: Boolean, whether the part of b for the forget gate of
            an LSTM starts at 1.
        kernel_regularizer: Regularizer of W.
        recurrent_regularizer: Regularizer of U.
        bias_regularizer: Regularizer of b.
        kernel_constraint: Constraint on W.
        recurrent_constraint: Constraint on U.
        bias_constraint: Constraint on b.
        dropout: Number in [0, 1), how much of x is dropped in training.
        recurrent_dropout: Number in [0, 1), how much of h is dropped in U's
            product in training.
        seed: Integer, the seed of the dropout.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, features)`, one step of sequences.
        states: List of the state h, and of c after it for an LSTM, tensors of
            shape `(batch, units)`.
        training: Boolean, whether to drop.

    Input shape:
        `(batch, features)`.

    Output shape:
        `(batch, units)`, and the states of that shape, the first of which is
        the output.

    Weights, in this order: `kernel` W (features, parts · units),
    `recurrent_kernel` U (units, parts · units), `alpha`, `recurrent_beta` β_1,
    `input_beta` β_2 and `bias` b, all (parts · units,), with 1, 3 or 4 parts in
    the order of Keras's cells.

    Masking: `keras.layers.RNN` keeps the states over masked steps.

    Example:

    ```python
    x = keras.Input((None, 16))
    cell = kmul.layers.MultiplicativeIntegrationCell(32, cell="gru")
    y = keras.layers.RNN(cell, return_sequences=True)(x)
    ```

    Reference:
        - [On Multiplicative Integration with Recurrent Neural Networks (Wu et
          al., 2016)](https://arxiv.org/abs/1606.06630)
    """

    def __init__(
        self,
        units,
        cell="lstm",
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        alpha_initializer="ones",
        beta_initializer="ones",
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
        **kwargs,
    ):
        cell = check_choice("cell", cell, tuple(PARTS))
        unit_forget_bias = check_boolean("unit_forget_bias", unit_forget_bias)
        super().__init__(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            num_states=2 if cell == "lstm" else 1,
            **kwargs,
        )
        self.cell = cell
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.alpha_initializer = keras.initializers.get(alpha_initializer)
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.unit_forget_bias = unit_forget_bias

    def build_weights(self, width):
        size = PARTS[self.cell] * self.units
        self.kernel = self.add_kernel("kernel", (width, size))
        self.recurrent_kernel = self.add_kernel(
            "recurrent_kernel", (self.units, size), "recurrent"
        )
        self.alpha, self.recurrent_beta, self.input_beta = (
            self.add_weight(name=name, shape=(size,), initializer=initializer)
            for name, initializer in (
                ("alpha", self.alpha_initializer),
                ("recurrent_beta", self.beta_initializer),
                ("input_beta", self.beta_initializer),
            )
        )
        initializer = lstm_bias(self) if self.cell == "lstm" else None
        self.bias = self.add_bias(size, initializer=initializer)

    def call(self, inputs, states, training=False):
        """Returns the output of a step, and the states after it.

        Args:
            inputs: Tensor of shape `(batch, features)`.
            states: List of tensors of shape `(batch, units)`.
            training: Boolean, whether to drop.

        Returns:
            A tensor of shape `(batch, units)`, and a list like `states`.
        """
        inputs = ops.matmul(self.drop_inputs(inputs, training), self.kernel)
        # The equation is (x W) β_2 + b + (h U)(α ∘ x W + β_1).
        scale = add_bias(ops.multiply(inputs, self.alpha), self.recurrent_beta)
        shift = add_bias(ops.multiply(inputs, self.input_beta), self.bias)
        return getattr(self, f"_{self.cell}")(states, scale, shift, training)

    def _simple(self, states, scale, shift, training):
        h = self.drop_state(states[0], training)
        projected = ops.matmul(h, self.recurrent_kernel)
        h = self.activation(add(ops.multiply(projected, scale), shift))
        return h, [h]

    def _lstm(self, states, scale, shift, training):
        h = self.drop_state(states[0], training)
        projected = ops.matmul(h, self.recurrent_kernel)
        gates = add(ops.multiply(projected, scale), shift)
        return lstm_step(self, gates, states[1])

    def _gru(self, states, scale, shift, training):
        h = states[0]
        dropped = self.drop_state(h, training)
        kernels, scales, shifts = (
            ops.split(each, [2 * self.units], -1)
            for each in (self.recurrent_kernel, scale, shift)
        )

        def integrate(state, part):
            projected = ops.matmul(state, kernels[part])
            return add(ops.multiply(projected, scales[part]), shifts[part])

        gates = self.recurrent_activation(integrate(dropped, 0))
        update, reset = ops.split(gates, 2, -1)
        new = self.activation(integrate(ops.multiply(reset, dropped), 1))
        # update ∘ h + (1 − update) ∘ new
        h = add(ops.multiply(update, ops.subtract(h, new)), new)
        return h, [h]

    def get_config(self):
        return {
            **super().get_config(),
            "cell": self.cell,
            "recurrent_activation": keras.activations.serialize(
                self.recurrent_activation
            ),
            "alpha_initializer": keras.initializers.serialize(
                self.alpha_initializer
            ),
            "beta_initializer": keras.initializers.serialize(
                self.beta_initializer
            ),
            "unit_forget_bias": self.unit_forget_bias,
        }
