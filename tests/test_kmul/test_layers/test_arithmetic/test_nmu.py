import keras
import numpy as np
import pytest
from keras import ops
from support.gradients import layer_gradients
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers
from kmul.regularizers import Discreteness

SHAPES = [(6, 4), (6, 3, 4), (6, 3, 2, 4)]


@pytest.mark.parametrize("width", [1, 2, 3, 4, 7, 8])
def test_nmu_of_every_width(width):
    layer = layers.NMU(3)
    weights, x = prepare(layer, (6, width))
    kernel = weights["kernel"]
    factors = kernel * x[..., None] + 1 - kernel
    assert_computes(layer, x, np.prod(factors, axis=-2))


@pytest.mark.parametrize("shape", SHAPES)
def test_nmu_of_every_rank(shape):
    layer = layers.NMU(3)
    weights, x = prepare(layer, shape)
    factors = weights["kernel"] * x[..., None] + 1 - weights["kernel"]
    assert_computes(layer, x, np.prod(factors, axis=-2))


def test_nmu_keeps_small_factors():
    layer = layers.NMU(1)
    layer.build((1, 2))
    layer.set_weights([np.ones((2, 1))])
    x = np.array([[1e-12, 3.0]], "float32")
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(x)), [[3e-12]], rtol=1e-6
    )


@pytest.mark.parametrize(
    "x, by_input",
    [
        # y = x₁x₂x₃ and the gradient of y² is 2y times the other factors.
        ([2.0, 3.0, 4.0], [2 * 24 * 12, 2 * 24 * 8, 2 * 24 * 6]),
        ([0.0, 3.0, 4.0], [0, 0, 0]),
        ([0.0, 0.0, 4.0], [0, 0, 0]),
    ],
)
def test_nmu_gradient_at_zeros(x, by_input):
    layer = layers.NMU(1)
    layer.build((1, 3))
    layer.set_weights([np.ones((3, 1))])
    (found,), _ = layer_gradients(layer, np.array([x], "float32"))
    np.testing.assert_allclose(found, [by_input], rtol=1e-6)


def test_nmu_gradient_where_one_factor_is_zero():
    """The zero's own derivative is the product of the others, not 0/0."""
    layer = layers.NMU(2)
    layer.build((1, 3))
    # The second output is 1 + Π, so that its square has a slope.
    layer.set_weights([np.array([[1.0, 0.5], [1.0, 0.0], [1.0, 0.0]])])
    x = np.array([[0.0, 3.0, 4.0]], "float32")
    (by_input,), (by_weight,) = layer_gradients(layer, x)
    np.testing.assert_allclose(by_input, [[0.5, 0.0, 0.0]], atol=1e-6)
    np.testing.assert_allclose(
        by_weight, [[0, -1.0], [0, 0.5 * 2], [0, 0.5 * 3]], atol=1e-6
    )


def test_training_that_ends_with_exact_weights():
    """With a regularizer and clipping, by plain SGD: y = x_1 x_2."""
    layer = layers.NMU(
        1,
        kernel_initializer=keras.initializers.Constant(0.4),
        kernel_regularizer=Discreteness(0.3, values=(0, 1)),
    )
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    x = np.random.default_rng(0).uniform(1, 2, (512, 3)).astype("float32")
    y = x[:, :1] * x[:, 1:2]
    model.fit(x, y, batch_size=32, epochs=10, shuffle=False, verbose=0)
    np.testing.assert_array_equal(layer.get_weights()[0], [[1], [1], [0]])
