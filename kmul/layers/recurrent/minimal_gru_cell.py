import keras
from keras import ops

from kmul._contractions import linear
from kmul._sums import add
from kmul.layers.recurrent._base import RecurrentCell

# Options of Keras's cells for weights that multiply the state.
RECURRENT = (
    "recurrent_initializer",
    "recurrent_regularizer",
    "recurrent_constraint",
    "recurrent_dropout",
)


@keras.saving.register_keras_serializable(package="kmul")
class MinimalGRUCell(RecurrentCell):
    """The cell of `kmul.layers.MinimalGRU`: one step of it.

    ```
    [u, v] = x W + b
    h' = (1 − σ(u)) ∘ h + σ(u) ∘ act(v)
    ```

    For cells that are stacked in one `keras.layers.RNN`, and for a model that
    continues a sequence step by step. `MinimalGRU` computes all steps of a
    sequence together.

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
        dropout: Number in [0, 1), how much of x is dropped in training.
        seed: Integer, the seed of the dropout.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, features)`, one step of sequences.
        states: List of one tensor of shape `(batch, units)`.
        training: Boolean, whether to drop.

    Input shape:
        `(batch, features)`.

    Output shape:
        `(batch, units)`, and the state, which is the same.

    Weights, in this order: `kernel` W (features, 2 · units), the part of u
    first, `bias` b (2 · units,).

    Masking: `keras.layers.RNN` keeps the state over masked steps.

    Example:

    ```python
    cell = kmul.layers.MinimalGRUCell(32)
    state = cell.get_initial_state(batch_size=2)
    for x in np.ones((5, 2, 16)):
        y, state = cell(x, state)  # (2, 32)
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
        **kwargs,
    ):
        super().__init__(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            seed=seed,
            **kwargs,
        )
        self.recurrent_activation = keras.activations.get(recurrent_activation)

    def build_weights(self, width):
        self.kernel = self.add_kernel("kernel", (width, 2 * self.units))
        self.bias = self.add_bias(2 * self.units)

    def call(self, inputs, states, training=False):
        """Returns the output of a step, and the states after it.

        Args:
            inputs: Tensor of shape `(batch, features)`.
            states: List of tensors of shape `(batch, units)`.
            training: Boolean, whether to drop.

        Returns:
            A tensor of shape `(batch, units)`, and a list like `states`.
        """
        (state,) = states
        update, new = self.project(self.drop_inputs(inputs, training))
        change = ops.multiply(update, ops.subtract(new, state))
        state = add(change, state)
        return state, [state]

    def project(self, inputs):
        """Returns how much of the state is new, and the new state."""
        both = linear(inputs, self.kernel, self.bias)
        update, new = ops.split(both, 2, -1)
        return self.recurrent_activation(update), self.activation(new)

    def get_config(self):
        config = super().get_config()
        for name in RECURRENT:
            del config[name]
        return {
            **config,
            "recurrent_activation": keras.activations.serialize(
                self.recurrent_activation
            ),
        }
