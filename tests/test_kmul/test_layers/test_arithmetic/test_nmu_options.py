import keras
import numpy as np
import pytest
from keras import ops
from support.gradients import layer_gradients
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers

EXACT = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def product(x, kernel):
    return np.prod(kernel * x[..., None] + 1 - kernel, axis=-2)


def exact_layer(**kwargs):
    layer = layers.NMU(2, **kwargs)
    layer.build((None, 3))
    layer.set_weights([EXACT])
    return layer


@pytest.mark.parametrize("shape", [(6, 4), (6, 3, 4)])
def test_normalized(shape):
    layer = layers.NMU(3, normalize=True)
    weights, x = prepare(layer, shape)
    x *= 5
    kernel = weights["kernel"]
    c = x.std()
    assert_computes(layer, x, c ** kernel.sum(axis=0) * product(x / c, kernel))


@pytest.mark.parametrize(
    "options",
    [
        {"normalize": True},
        {"noise": (1, 5)},
        {"normalize": True, "noise": (0.5, 2.0)},
    ],
)
def test_exact_weights_give_the_product(options):
    layer = exact_layer(**options)
    x = 3 * np.random.default_rng(0).normal(size=(5, 3))
    assert_computes(layer, x, product(x, EXACT), training=True)


@pytest.mark.parametrize("scale", [0.0, 2.0, 1e10])
def test_normalized_inputs_without_variance(scale):
    layer = exact_layer(normalize=True)
    x = np.full((4, 3), scale, "float32")
    assert_computes(layer, x, product(x, EXACT))
    found = layer_gradients(layer, np.minimum(x, 2))
    assert all(np.isfinite(each).all() for part in found for each in part)


def test_noise():
    layer = layers.NMU(1, noise=(1, 5), seed=3)
    layer.build((None, 2))
    layer.set_weights([np.full((2, 1), 0.5)])
    x = np.full((2000, 2), 3.0, "float32")
    found = ops.convert_to_numpy(layer(x, training=True))
    # Each factor is (3n + 1) / (n + 1), n in [1, 5]: from 2 to 8/3.
    assert 4.0 <= found.min() < 4.2 and 7.0 < found.max() <= 64 / 9
    factor = 3 - 2 * np.log(6 / 2) / 4
    assert found.mean() == pytest.approx(factor**2, rel=0.01)
    again = ops.convert_to_numpy(layer(x, training=True))
    assert np.abs(again - found).max() > 0.1
    # Without training there is none.
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(x)), 4.0)


def test_the_seed_decides_the_noise():
    x = np.full((4, 2), 3.0, "float32")
    found = []
    for seed in (0, 0, 1):
        layer = layers.NMU(
            2,
            kernel_initializer=keras.initializers.Constant(0.5),
            noise=(1, 5),
            seed=seed,
        )
        found.append(ops.convert_to_numpy(layer(x, training=True)))
    np.testing.assert_array_equal(found[0], found[1])
    assert np.abs(found[0] - found[2]).max() > 0.01


@pytest.mark.parametrize(
    "noise", [3, (1,), (0, 1), (5, 1), (1, "5"), (1, True)]
)
def test_bad_noise(noise):
    with pytest.raises(
        ValueError, match=r"`noise`\. Expected None or two finite numbers"
    ):
        layers.NMU(2, noise=noise)
