"""Steps of the recurrent cells, and their runs over time, in NumPy."""

import numpy as np
from support.reference import sigmoid


def lstm(gates, c):
    i, f, g, o = np.split(gates, 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, [h, c]


def multiplicative_lstm(w, x, states):
    h, c = states
    units = h.shape[-1]
    m = x @ w["kernel"][:, :units] * (h @ w["multiplicative_kernel"])
    gates = x @ w["kernel"][:, units:] + m @ w["recurrent_kernel"] + w["bias"]
    return lstm(gates, c)


def integrate(w, x, h, part=slice(None)):
    """α ∘ Wx ∘ Uh + β₁ ∘ Uh + β₂ ∘ Wx + b, for a part of the units."""
    wx, uh = x @ w["kernel"][:, part], h @ w["recurrent_kernel"][:, part]
    return (
        w["alpha"][part] * wx * uh
        + w["recurrent_beta"][part] * uh
        + w["input_beta"][part] * wx
        + w["bias"][part]
    )


def integrated_simple(w, x, states):
    h = np.tanh(integrate(w, x, states[0]))
    return h, [h]


def integrated_gru(w, x, states):
    (h,) = states
    units = h.shape[-1]
    z = sigmoid(integrate(w, x, h, slice(0, units)))
    r = sigmoid(integrate(w, x, h, slice(units, 2 * units)))
    new = np.tanh(integrate(w, x, r * h, slice(2 * units, None)))
    h = z * h + (1 - z) * new
    return h, [h]


def integrated_lstm(w, x, states):
    return lstm(integrate(w, x, states[0]), states[1])


def recurrent_highway(w, x, states):
    (s,) = states
    for layer in (1, 2):
        both = s @ w[f"recurrent_kernel_{layer}"] + w[f"bias_{layer}"]
        if layer == 1:
            both = both + x @ w["kernel"]
        h, t = np.split(both, 2, -1)
        s = np.tanh(h) * sigmoid(t) + s * (1 - sigmoid(t))
    return s, [s]


def minimal_gru(w, x, states):
    update, new = np.split(x @ w["kernel"] + w["bias"], 2, -1)
    h = (1 - sigmoid(update)) * states[0] + sigmoid(update) * new
    return h, [h]


# Under the names of `examples.CELLS`.
STEPS = {
    "MinimalGRUCell": minimal_gru,
    "MultiplicativeIntegrationCell": integrated_lstm,
    "MultiplicativeIntegrationCell, gru": integrated_gru,
    "MultiplicativeIntegrationCell, simple": integrated_simple,
    "MultiplicativeLSTMCell": multiplicative_lstm,
    "RecurrentHighwayCell": recurrent_highway,
}


def run(step, weights, x, mask, states):
    """Returns the outputs of all steps, and the last states.

    Where the mask is false, states and output stay as they were.
    """
    output, outputs = np.zeros_like(states[0]), []
    for t in range(x.shape[1]):
        taken = mask[:, t, None]
        new, new_states = step(weights, x[:, t], states)
        output = np.where(taken, new, output)
        states = [
            np.where(taken, a, b)
            for a, b in zip(new_states, states, strict=True)
        ]
        outputs.append(output)
    return np.stack(outputs, 1), states
