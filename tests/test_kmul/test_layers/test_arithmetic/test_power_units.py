import numpy as np
import pytest
from keras import ops
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers

SHAPES = [(6, 4), (6, 3, 4), (6, 3, 2, 4)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("unit", [layers.RealNPU, layers.NPU])
def test_power_units(unit, shape):
    layer = unit(3)
    weights, x = prepare(layer, shape)
    layer.gate.assign(np.array([0.0, 0.3, 0.8, 1.0]))
    gate = np.array([0.0, 0.3, 0.8, 1.0])
    r = gate * (np.abs(x) + 1e-7) + 1 - gate
    k = gate * np.pi * (x < 0)
    if unit is layers.RealNPU:
        kernel = weights["kernel"]
        expected = np.exp(np.log(r) @ kernel) * np.cos(k @ kernel)
    else:
        real, imaginary = weights["real_kernel"], weights["imaginary_kernel"]
        expected = np.exp(np.log(r) @ real - k @ imaginary) * np.cos(
            k @ real + np.log(r) @ imaginary
        )
    assert_computes(layer, x, expected)


@pytest.mark.parametrize("unit", [layers.RealNPU, layers.NPU])
def test_a_gate_outside_its_interval(unit):
    layer = unit(2)
    layer.build((1, 3))
    x = np.array([[3.0, -5.0, 7.0]], "float32")
    outputs = []
    for gate in ([-2.0, 3.0, 0.5], [0.0, 1.0, 0.5]):
        layer.gate.assign(np.array(gate))
        outputs.append(ops.convert_to_numpy(layer(x)))
    np.testing.assert_array_equal(*outputs)
