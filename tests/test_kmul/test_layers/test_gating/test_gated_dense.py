import math

import numpy as np
import pytest
from support.reference import assert_computes
from support.reference import prepare
from support.reference import sigmoid

from kmul import layers

GATES = {
    "sigmoid": sigmoid,
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: x * 0.5 * (1 + np.vectorize(math.erf)(x / 2**0.5)),
    "silu": lambda x: x * sigmoid(x),
    None: lambda x: x,
}


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("shape", [(6, 4), (6, 3, 4), (6, 3, 2, 4)])
def test_value_times_gate(gate, shape):
    layer = layers.GatedDense(5, gate_activation=gate)
    weights, x = prepare(layer, shape)
    assert layer.count_params() == 4 * 10 + 10
    value = x @ weights["kernel"][:, :5] + weights["bias"][:5]
    gated = x @ weights["kernel"][:, 5:] + weights["bias"][5:]
    assert_computes(layer, x, value * GATES[gate](gated))


def test_value_and_gate_start_as_two_kernels():
    layer = layers.GatedDense(300, kernel_initializer="glorot_uniform")
    layer.build((None, 100))
    kernel = layer.get_weights()[0]
    assert np.abs(kernel[:, :300] - kernel[:, 300:]).max() > 0.05
    # The bound is that of a kernel of 300 units, not of 600.
    assert 0.98 < np.abs(kernel).max() / np.sqrt(6 / 400) <= 1


def test_bad_arguments_and_shapes():
    with pytest.raises(ValueError, match="Received: units=True"):
        layers.GatedDense(True)
    with pytest.raises(ValueError, match="should be called on a single tensor"):
        layers.GatedDense(2).build([(2, 4), (2, 4)])
    with pytest.raises(ValueError, match="rank 2 or more"):
        layers.GatedDense(2).build((4,))
