import keras
import numpy as np
import pytest
from keras import ops
from support.gradients import layer_gradients
from support.reference import assert_computes
from support.reference import prepare
from support.reference import sigmoid

from kmul import layers

SHAPES = [(6, 4), (6, 3, 4), (6, 3, 2, 4)]


def saturated(weights, prefix=""):
    return np.tanh(weights[f"{prefix}tanh_kernel"]) * sigmoid(
        weights[f"{prefix}sigmoid_kernel"]
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_nac(shape):
    layer = layers.NAC(3)
    weights, x = prepare(layer, shape)
    assert_computes(layer, x, x @ saturated(weights))


@pytest.mark.parametrize("shape", SHAPES)
def test_mnac(shape):
    layer = layers.MNAC(3)
    weights, x = prepare(layer, shape)
    product = np.exp(np.log(np.abs(x) + 1e-7) @ saturated(weights))
    assert_computes(layer, x, product)


def test_mnac_of_a_quotient():
    layer = layers.MNAC(1)
    layer.build((1, 3))
    layer.set_weights(
        [np.array([[20.0], [-20.0], [0.0]]), np.full((3, 1), 20.0)]
    )
    x = np.array([[3.0, -5.0, 7.0]], "float32")
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(x)), [[0.6]], rtol=1e-5
    )


def test_mnac_of_zeros_and_large_inputs():
    layer = layers.MNAC(1, kernel_initializer="ones")
    layer.build((1, 20))
    x = np.stack([np.full(20, 1e10), np.zeros(20)]).astype("float32")
    outputs = ops.convert_to_numpy(layer(x))
    assert np.isfinite(outputs).all()
    (by_input,), _ = layer_gradients(layer, x[1:])
    np.testing.assert_array_equal(by_input, np.zeros((1, 20)))


@pytest.mark.parametrize("shape", SHAPES)
def test_nalu(shape):
    layer = layers.NALU(3)
    weights, x = prepare(layer, shape)
    kernel = saturated(weights)
    gate = sigmoid(x @ weights["gate_kernel"])
    product = np.exp(np.log(np.abs(x) + 1e-7) @ kernel)
    assert_computes(layer, x, gate * (x @ kernel) + (1 - gate) * product)


@pytest.mark.parametrize("shape", SHAPES)
def test_inalu(shape):
    layer = layers.INALU(3)
    weights, x = prepare(layer, shape)
    x[:2] = np.array([0.0, -1.0, 1e-9, 2.0])
    kernel = saturated(weights, "multiply_")
    product = np.exp(
        np.minimum(np.log(np.maximum(np.abs(x), 1e-7)) @ kernel, 20)
    )
    sign = np.prod(
        np.sign(x)[..., None] * np.abs(kernel) + 1 - np.abs(kernel), axis=-2
    )
    gate = sigmoid(weights["gate"])
    total = x @ saturated(weights, "add_")
    assert_computes(layer, x, gate * total + (1 - gate) * sign * product)


def test_inalu_starts_as_published():
    layer = layers.INALU(200)
    layer.build((None, 100))
    tanh, sigmoid, other_tanh, _, gate = layer.get_weights()
    for weight, mean in ((tanh, 0.88), (sigmoid, 0.5), (gate, 0.0)):
        assert weight.mean() == pytest.approx(mean, abs=0.05)
        assert weight.std() == pytest.approx(0.2, abs=0.03)
    assert np.abs(tanh - other_tanh).max() > 0.1


def test_inalu_takes_an_older_config():
    layer = layers.INALU.from_config(
        {"units": 2, "kernel_initializer": "zeros"}
    )
    layer.build((None, 3))
    assert not np.any(layer.get_weights()[0])


def test_inalu_learns_a_product_with_signs():
    """From its published start, with gradients clipped as published."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (1024, 2)).astype("float32")
    y = x[:, :1] * x[:, 1:]
    errors = []
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([keras.Input((2,)), layers.INALU(1)])
        model.compile(keras.optimizers.Adam(0.1, clipvalue=0.1), "mse")
        model.fit(x, y, batch_size=128, epochs=15, verbose=0)
        errors.append(model.evaluate(x, y, batch_size=1024, verbose=0))
    # That of a constant is 9, and from a Glorot start it stays there.
    assert np.median(errors) < 0.01
