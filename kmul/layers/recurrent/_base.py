import keras
from keras import ops

from kmul._branches import branch_initializer
from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_boolean
from kmul._validation import check_positive_integer
from kmul._validation import check_rate
from kmul._validation import check_seed
from kmul._validation import check_sequences


class RecurrentCell(keras.layers.SimpleRNNCell):
    """The base of the cells here: the options that Keras's cells have.

    `keras.layers.RNN` draws one dropout mask for all time steps, and resets it
    after the last, for cells of a private class alone. This is the simplest
    public class of that kind, and nothing else is taken from it but its
    options. So dropout also works in `StackedRNNCells` and `Bidirectional`.

    Args:
        units: Positive integer, the size of the output and of each state.
        num_states: Positive integer.
        **kwargs: The arguments of `keras.layers.SimpleRNNCell`.
    """

    def __init__(
        self, units, *, use_bias, dropout, seed, num_states=1, **kwargs
    ):
        units = check_positive_integer("units", units)
        use_bias = check_boolean("use_bias", use_bias)
        dropout = check_rate("dropout", dropout)
        if "recurrent_dropout" in kwargs:
            check_rate("recurrent_dropout", kwargs["recurrent_dropout"])
        super().__init__(
            units,
            use_bias=use_bias,
            dropout=dropout,
            seed=check_seed(seed),
            **kwargs,
        )
        self.state_size = [units] * num_states

    def build(self, input_shape):
        if len(input_shape) != 2 or input_shape[-1] is None:
            raise ValueError(
                f"`{type(self).__name__}` should be called on one step of "
                "sequences, (batch, features), whose last axis is defined. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        width = input_shape[-1]
        self.input_spec = keras.layers.InputSpec(ndim=2, axes={-1: width})
        self.build_weights(width)

    def get_initial_state(self, batch_size=None):
        return [
            ops.zeros((batch_size, size), self.compute_dtype)
            for size in self.state_size
        ]

    def build_weights(self, width):
        """Adds the weights for inputs of this width."""
        raise NotImplementedError

    def add_kernel(self, name, shape, kind="kernel"):
        """Adds a kernel, initialized unlike the others.

        Args:
            name: String.
            shape: Tuple of integers.
            kind: `"kernel"` or `"recurrent"`, by whose options it is made.
        """
        initializer = getattr(self, f"{kind}_initializer")
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=branch_initializer(initializer, len(self.weights)),
            regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
        )

    def add_bias(self, units, name="bias", initializer=None):
        """Adds a bias, `None` if the cell has none."""
        if not self.use_bias:
            return None
        return self.add_weight(
            name=name,
            shape=(units,),
            initializer=initializer or self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def drop_inputs(self, inputs, training):
        mask = self.get_dropout_mask(inputs) if training else None
        return inputs if mask is None else ops.multiply(inputs, mask)

    def drop_state(self, state, training):
        mask = self.get_recurrent_dropout_mask(state) if training else None
        return state if mask is None else ops.multiply(state, mask)


class RecurrentLayer(keras.layers.RNN):
    """The base of layers that are `keras.layers.RNN` of a cell of their own.

    Args:
        cell: The cell, whose arguments are the layer's.
        **kwargs: The arguments of `keras.layers.RNN`.
    """

    def __init__(
        self,
        cell,
        *,
        return_sequences,
        return_state,
        go_backwards,
        stateful,
        unroll,
        zero_output_for_mask,
        **kwargs,
    ):
        options = {
            "return_sequences": return_sequences,
            "return_state": return_state,
            "go_backwards": go_backwards,
            "stateful": stateful,
            "unroll": unroll,
            "zero_output_for_mask": zero_output_for_mask,
        }
        for name, value in options.items():
            check_boolean(name, value)
        super().__init__(cell, **options, **kwargs)

    def build(self, sequences_shape, initial_state_shape=None):
        shape = self._check_sequences(sequences_shape)
        self.input_spec = keras.layers.InputSpec(ndim=3, axes={-1: shape[-1]})
        super().build(shape, initial_state_shape)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """Returns the output of the last step, or of all.

        Args:
            sequences: Tensor of shape `(batch, length, features)`.
            initial_state: List of a tensor of shape `(batch, units)` for each
                state, zeros by default.
            mask: Boolean tensor of shape `(batch, length)`, the steps to take.
            training: Boolean, whether to drop.

        Returns:
            A tensor of shape `(batch, units)`, or `(batch, length, units)` with
            `return_sequences`; with `return_state`, the states follow it.
        """
        sequences = receive(self, sequences)
        if isinstance(initial_state, (tuple, list)):
            self._check_states(initial_state)
        return super().call(
            sequences, initial_state=initial_state, mask=mask, training=training
        )

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        shape = self._check_sequences(sequences_shape)
        return super().compute_output_shape(shape, initial_state_shape)

    def _check_sequences(self, shape):
        return check_sequences(type(self).__name__, shape)

    def _check_states(self, states):
        count = len(self.state_size)
        if len(states) != count:
            raise ValueError(
                "Invalid value for argument `initial_state`. Expected "
                f"{count} of shape (batch, {self.state_size[0]}). Received: "
                f"initial_state={[tuple(each.shape) for each in states]}"
            )

    def get_config(self):
        config = super().get_config()
        del config["cell"]
        # The layer's name and dtype, not the cell's.
        return {**self.cell.get_config(), **config}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def cell_options(kwargs):
    """Returns the arguments of every layer that a layer's cell has as well."""
    shared = {
        key: kwargs[key] for key in kwargs.keys() & {"dtype", "trainable"}
    }
    return {"name": "cell", **shared}


def lstm_bias(cell):
    """Returns the initializer of the bias of an LSTM's four gates."""
    if not cell.unit_forget_bias:
        return cell.bias_initializer

    def initialize(shape, dtype=None):
        i, f, g, o = ops.split(cell.bias_initializer(shape, dtype), 4)
        return ops.concatenate([i, ops.ones_like(f), g, o])

    return initialize


def lstm_step(cell, gates, c):
    """Returns the output and the states [h, c] of an LSTM.

    Args:
        cell: The cell, which has an `activation` and a `recurrent_activation`.
        gates: Tensor of shape (batch, 4 · units), i, f, g and o side by side.
        c: Tensor of shape (batch, units), the carry state.
    """
    i, f, g, o = ops.split(gates, 4, -1)
    kept = ops.multiply(cell.recurrent_activation(f), c)
    new = ops.multiply(cell.recurrent_activation(i), cell.activation(g))
    c = add(kept, new)
    h = ops.multiply(cell.recurrent_activation(o), cell.activation(c))
    return h, [h, c]
