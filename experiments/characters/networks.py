"""Models of the next character, with and without products."""

import keras

from kmul import layers

EMBEDDING = 32
RANK = 32
# Units of the recurrent layer, such that all have as many parameters, ± 5 %.
WIDTHS = {
    "LSTM": 84,
    "multiplicative integration LSTM": 82,
    "multiplicative LSTM": 72,
    "LSTM, low-rank output": 68,
}


def build(name, characters):
    """Returns a model from sequences of characters to logits of the next ones.

    Args:
        name: Key of `WIDTHS`.
        characters: How many different characters there are.
    """
    units = WIDTHS[name]
    inputs = keras.Input((None,), dtype="int32")
    # Keras's own initializer is so small that products would start at zero.
    initializer = keras.initializers.RandomNormal(stddev=1.0)
    embedded = keras.layers.Embedding(characters, EMBEDDING, initializer)(
        inputs
    )
    states = _recurrent(name, units)(embedded)
    if name == "LSTM, low-rank output":
        outputs = layers.MultiplicativeInteraction(
            characters, form="low_rank", rank=RANK
        )([states, embedded])
    else:
        outputs = keras.layers.Dense(characters)(states)
    return keras.Model(inputs, outputs)


def _recurrent(name, units):
    if name == "multiplicative integration LSTM":
        cell = layers.MultiplicativeIntegrationCell(units, "lstm", name="cell")
        return keras.layers.RNN(cell, return_sequences=True)
    if name == "multiplicative LSTM":
        return layers.MultiplicativeLSTM(units, return_sequences=True)
    return keras.layers.LSTM(units, return_sequences=True)
