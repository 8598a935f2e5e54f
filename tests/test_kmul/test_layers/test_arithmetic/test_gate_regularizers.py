import keras
import numpy as np
import pytest
from keras import ops
from support.reference import prepare

from kmul import layers
from kmul.regularizers import Discreteness
from kmul.regularizers import Saturation


def penalty(layer):
    layer(np.ones((2, 4), "float32"))
    (found,) = layer.losses
    return float(ops.convert_to_numpy(found))


@pytest.mark.parametrize("unit", [layers.RealNPU, layers.NPU])
def test_gate_of_power_units(unit):
    layer = unit(3, gate_regularizer=Discreteness(2.0, values=(0, 1)))
    prepare(layer, (2, 4))
    layer.gate.assign(np.array([0.0, 0.3, 0.8, 1.0]))
    assert penalty(layer) == pytest.approx(2 * (0.3 + 0.2) / 4)


def test_all_weights_of_inalu():
    saturation = Saturation(0.05)
    layer = layers.INALU(
        3,
        kernel_regularizer="l1",
        tanh_kernel_regularizer=saturation,
        sigmoid_kernel_regularizer=saturation,
        gate_regularizer=saturation,
    )
    weights, _ = prepare(layer, (2, 4))
    expected = sum(
        0.05 * np.maximum(20 - np.abs(each), 0).mean()
        for each in weights.values()
    )
    for kernel in layer.effective_kernels():
        expected += 0.01 * np.abs(ops.convert_to_numpy(kernel)).sum()
    assert len(weights) == 5
    assert penalty(layer) == pytest.approx(expected, rel=1e-5)


def test_warm_up_with_a_regularized_gate_alone():
    layer = layers.RealNPU(
        2,
        gate_regularizer=Discreteness(2.0, values=(0, 1)),
        regularizer_warmup=(0, 4),
    )
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(keras.optimizers.SGD(0.0), lambda y, outputs: 0 * outputs)
    x = np.ones((8, 3), "float32")
    model.fit(x, x[:, :2], batch_size=4, verbose=0)
    assert int(ops.convert_to_numpy(layer.step)) == 2
    # Half of the full strength, 2 times the distance of 0.5.
    found = model.evaluate(x, x[:, :2], verbose=0)
    assert found == pytest.approx(0.5)
