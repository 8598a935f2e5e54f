"""Each recurrent layer's equations, written by hand in `keras.ops`."""

import keras
from keras import ops

from benchmarks.equations import dense
from kmul import layers


class CellByHand(keras.layers.Layer):
    """A cell that is nothing but a function of weights, input and states."""

    def __init__(self, step, weights, units, num_states):
        super().__init__()
        self.step, self.given, self.units = step, weights, units
        self.state_size = [units] * num_states

    def call(self, x, states):
        return self.step(self.given, x, *states)


def recurrent(step, units, num_states):
    """Returns the run of a step by the same means as that of the layer."""

    def function(w, x):
        return keras.layers.RNN(CellByHand(step, w, units, num_states))(x)

    return function


def lstm_step(gates, c):
    i, f, g, o = ops.split(gates, 4, -1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    h = ops.sigmoid(o) * ops.tanh(c)
    return h, [h, c]


def multiplicative_lstm(w, x, h, c):
    projected, units = ops.matmul(x, w[0]), h.shape[-1]
    m = projected[:, :units] * ops.matmul(h, w[1])
    return lstm_step(projected[:, units:] + dense(m, w[2], w[3]), c)


def multiplicative_integration(w, x, h, c):
    wx, uh = ops.matmul(x, w[0]), ops.matmul(h, w[1])
    return lstm_step(w[2] * wx * uh + w[3] * uh + w[4] * wx + w[5], c)


def recurrent_highway(w, x, s):
    projected = ops.matmul(x, w[0])
    for i in range(1, len(w), 2):
        both = dense(s, w[i], w[i + 1])
        if i == 1:
            both = both + projected
        h, t = ops.split(both, 2, -1)
        t = ops.sigmoid(t)
        s = t * ops.tanh(h) + (1 - t) * s
    return s, [s]


def minimal_gru(w, x, h):
    z, new = ops.split(dense(x, *w), 2, -1)
    z = ops.sigmoid(z)
    h = (1 - z) * h + z * new
    return h, [h]


SEQUENCES = (32, 64)
# As `benchmarks.equations.CASES`.
CASES = {
    "MultiplicativeLSTM": (
        lambda: layers.MultiplicativeLSTM(64),
        recurrent(multiplicative_lstm, 64, 2),
        SEQUENCES,
    ),
    "MultiplicativeIntegrationCell": (
        lambda: keras.layers.RNN(layers.MultiplicativeIntegrationCell(64)),
        recurrent(multiplicative_integration, 64, 2),
        SEQUENCES,
    ),
    "RecurrentHighwayCell": (
        lambda: keras.layers.RNN(layers.RecurrentHighwayCell(64)),
        recurrent(recurrent_highway, 64, 1),
        SEQUENCES,
    ),
    # By hand one step after the other.
    "MinimalGRU": (
        lambda: layers.MinimalGRU(64),
        recurrent(minimal_gru, 64, 1),
        SEQUENCES,
    ),
}
