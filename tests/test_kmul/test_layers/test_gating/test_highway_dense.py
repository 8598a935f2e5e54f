import numpy as np
import pytest
from support.reference import assert_computes
from support.reference import prepare
from support.reference import sigmoid

from kmul import layers


@pytest.mark.parametrize("units", [None, 4, 3])
@pytest.mark.parametrize("shape", [(6, 4), (6, 3, 4), (6, 3, 2, 4)])
def test_mixes_input_and_dense(units, shape):
    layer = layers.HighwayDense(units)
    weights, x = prepare(layer, shape)
    dense = np.maximum(x @ weights["kernel"] + weights["bias"], 0)
    gate = sigmoid(x @ weights["gate_kernel"] + weights["gate_bias"])
    carried = x @ weights["carry_kernel"] if units == 3 else x
    assert ("carry_kernel" in weights) == (units == 3)
    assert_computes(layer, x, gate * dense + (1 - gate) * carried)


def test_parameter_count_and_first_gate():
    layer = layers.HighwayDense(transform_bias=-3)
    layer.build((None, 4))
    assert layer.count_params() == 2 * (4 * 4 + 4)
    np.testing.assert_array_equal(layer.get_weights()[3], -3.0)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"units": 0}, "`units`. Expected a positive integer"),
        (
            {"transform_bias": float("nan")},
            "`transform_bias`. Expected a finite number. "
            "Received: transform_bias=nan",
        ),
        ({"transform_bias": "low"}, "Received: transform_bias='low'"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.HighwayDense(**arguments)


def test_bad_shapes():
    with pytest.raises(ValueError, match=r"last axis .* should be defined"):
        layers.HighwayDense().build((2, None))
