"""One network of all operations, told in several ways which one is meant."""

import keras

from experiments.conditioning.data import OPERATIONS
from kmul import layers

EMBEDDING = 8
RANK = 32
# Units of each hidden layer, such that all have as many parameters, ± 5 %.
WIDTHS = {
    "concatenation": 126,
    "sum": 126,
    "FiLM": 124,
    "scalar": 128,
    "diagonal": 124,
    "low rank": 113,
    "full": 60,
    "HyperDense": 84,
    "a head per task": 71,
}


def build(name, width, units=None):
    """Returns a network from vectors and an operation's index to labels.

    Two hidden layers and a linear one. The operation comes in at the second,
    or, in the last two networks, at the output.

    Args:
        name: Key of `WIDTHS`.
        width: Width of each of the two vectors.
        units: Units of each hidden layer. Default: those of `WIDTHS`.
    """
    units = units or WIDTHS[name]
    vectors = keras.Input((2 * width,), name="vectors")
    operation = keras.Input((), dtype="int32", name="operation")
    hidden = keras.layers.Dense(units, activation="relu")(vectors)
    hidden = _inside(name, units, hidden, operation)
    hidden = keras.layers.Activation("relu")(hidden)
    hidden = keras.layers.Dense(units, activation="relu")(hidden)
    outputs = _outside(name, 2 * width, hidden, operation)
    return keras.Model([vectors, operation], outputs)


def _embed(operation):
    # Keras's own initializer is so small that products would start at zero.
    initializer = keras.initializers.RandomNormal(stddev=1.0)
    layer = keras.layers.Embedding(len(OPERATIONS), EMBEDDING, initializer)
    return layer(operation)


def _inside(name, units, hidden, operation):
    """The second hidden layer, before its activation."""
    dense = keras.layers.Dense(units)
    if name == "concatenation":
        both = [hidden, _embed(operation)]
        return dense(keras.layers.Concatenate()(both))
    if name == "sum":
        shift = keras.layers.Dense(units, use_bias=False)(_embed(operation))
        return keras.layers.Add()([dense(hidden), shift])
    if name == "FiLM":
        return layers.FiLM()([dense(hidden), _embed(operation)])
    if name in ("scalar", "diagonal"):
        layer = layers.MultiplicativeInteraction(form=name)
        return layer([dense(hidden), _embed(operation)])
    if name == "low rank":
        layer = layers.MultiplicativeInteraction(
            units, form="low_rank", rank=RANK
        )
        return layer([hidden, _embed(operation)])
    if name == "full":
        layer = layers.MultiplicativeInteraction(units)
        return layer([hidden, _embed(operation)])
    return dense(hidden)


def _outside(name, units, hidden, operation):
    """The output layer."""
    if name == "HyperDense":
        return layers.HyperDense(units)([hidden, _embed(operation)])
    if name == "a head per task":
        count = len(OPERATIONS)
        heads = keras.layers.Dense(count * units)(hidden)
        heads = keras.layers.Reshape((count, units))(heads)
        chosen = keras.ops.one_hot(operation, count)
        return keras.layers.Dot(axes=1)([chosen, heads])
    return keras.layers.Dense(units)(hidden)
