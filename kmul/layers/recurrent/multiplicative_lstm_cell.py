import keras
from keras import ops

from kmul._contractions import linear
from kmul._sums import add
from kmul._validation import check_boolean
from kmul.layers.recurrent._base import RecurrentCell
from kmul.layers.recurrent._base import lstm_bias
from kmul.layers.recurrent._base import lstm_step


@keras.saving.register_keras_serializable(package="kmul")
class MultiplicativeLSTMCell(RecurrentCell):
    """The cell of `kmul.layers.MultiplicativeLSTM`.

    ```
    m = (x W_m) ∘ (h K)
    [i, f, g, o] = x W + m R + b
    c' = σ(f) ∘ c + σ(i) ∘ act(g)
    h' = σ(o) ∘ act(c')
    ```

    An LSTM whose gates see m in place of the last output h. Each input has a
    transition of its own that way, h ↦ (h K) diag(x W_m) R.

    Args:
        units: Positive integer, the size of the output, of both states and of
            m.
        activation: Activation of g and of c'.
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
        dropout: Number in [0, 1), how much of x is dropped in training.
        recurrent_dropout: Number in [0, 1), how much of h is dropped in K's
            product in training.
        seed: Integer, the seed of the dropout.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, features)`, one step of sequences.
        states: List of two tensors of shape `(batch, units)`, h and c.
        training: Boolean, whether to drop.

    Input shape:
        `(batch, features)`.

    Output shape:
        `(batch, units)`, and the two states of that shape, the first of which
        is the output.

    Weights, in this order: `kernel` [W_m, W] (features, 5 · units),
    `multiplicative_kernel` K (units, units), `recurrent_kernel` R (units,
    4 · units), `bias` b (4 · units,). The gates are in the order of
    `keras.layers.LSTM`.

    Masking: `keras.layers.RNN` keeps the states over masked steps.

    Example:

    ```python
    x = keras.Input((None, 16))
    cells = [kmul.layers.MultiplicativeLSTMCell(32) for _ in range(2)]
    y = keras.layers.RNN(cells, return_sequences=True)(x)
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
        **kwargs,
    ):
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
            num_states=2,
            **kwargs,
        )
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias

    def build_weights(self, width):
        units = self.units
        self.kernel = self.add_kernel("kernel", (width, 5 * units))
        self.multiplicative_kernel = self.add_kernel(
            "multiplicative_kernel", (units, units), "recurrent"
        )
        self.recurrent_kernel = self.add_kernel(
            "recurrent_kernel", (units, 4 * units), "recurrent"
        )
        self.bias = self.add_bias(4 * units, initializer=lstm_bias(self))

    def call(self, inputs, states, training=False):
        """Returns the output of a step, and the states after it.

        Args:
            inputs: Tensor of shape `(batch, features)`.
            states: List of tensors of shape `(batch, units)`.
            training: Boolean, whether to drop.

        Returns:
            A tensor of shape `(batch, units)`, and a list like `states`.
        """
        h, c = states
        projected = ops.matmul(self.drop_inputs(inputs, training), self.kernel)
        factor, gates = ops.split(projected, [self.units], -1)
        h = self.drop_state(h, training)
        m = ops.multiply(factor, ops.matmul(h, self.multiplicative_kernel))
        gates = add(gates, linear(m, self.recurrent_kernel, self.bias))
        return lstm_step(self, gates, c)

    def get_config(self):
        return {
            **super().get_config(),
            "recurrent_activation": keras.activations.serialize(
                self.recurrent_activation
            ),
            "unit_forget_bias": self.unit_forget_bias,
        }
