import numpy as np
import pytest
from keras import ops
from support.gradients import layer_gradients
from support.reference import assert_computes
from support.reference import prepare
from support.reference import sigmoid

from kmul import layers


@pytest.mark.parametrize("shape", [(6, 4), (6, 3, 4), (6, 3, 2, 4)])
def test_computes_its_equation(shape):
    layer = layers.MNAC(3)
    weights, x = prepare(layer, shape)
    kernel = np.tanh(weights["tanh_kernel"]) * sigmoid(
        weights["sigmoid_kernel"]
    )
    assert_computes(layer, x, np.exp(np.log(np.abs(x) + 1e-7) @ kernel))


def test_a_quotient():
    layer = layers.MNAC(1)
    layer.build((1, 3))
    layer.set_weights(
        [np.array([[20.0], [-20.0], [0.0]]), np.full((3, 1), 20.0)]
    )
    x = np.array([[3.0, -5.0, 7.0]], "float32")
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(x)), [[0.6]], rtol=1e-5
    )


def test_overflow_and_zeros():
    layer = layers.MNAC(1, kernel_initializer="ones")
    layer.build((1, 20))
    x = np.stack([np.full(20, 1e10), np.zeros(20)]).astype("float32")
    outputs = ops.convert_to_numpy(layer(x))
    assert np.isfinite(outputs).all()
    (by_input,), _ = layer_gradients(layer, x[1:])
    np.testing.assert_array_equal(by_input, np.zeros((1, 20)))
