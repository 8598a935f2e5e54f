import numpy as np
import pytest
from keras import ops

from kmul import layers


def dropped(layer, x):
    return ops.convert_to_numpy(layer(x, training=True))


@pytest.mark.parametrize("shape", [(1000, 3), (1000, 2, 3, 1)])
def test_drops_whole_samples_and_scales_the_others(shape):
    x = np.random.default_rng(0).uniform(1, 2, shape).astype("float32")
    layer = layers.StochasticDepth(0.2, seed=1)
    y = dropped(layer, x)
    kept = (y != 0).reshape(1000, -1)
    assert (kept.all(1) == kept.any(1)).all()
    assert 0.75 < kept.mean() < 0.85
    np.testing.assert_allclose(y[kept[:, 0]], x[kept[:, 0]] / 0.8, rtol=1e-6)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(x)), x)
    # The next draw is another, and the first one can be repeated.
    assert not np.array_equal(dropped(layer, x), y)
    copy = layers.StochasticDepth.from_config(layer.get_config())
    np.testing.assert_array_equal(dropped(copy, x), y)


def test_a_rate_of_zero_draws_nothing():
    layer = layers.StochasticDepth(0)
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(dropped(layer, x), x)
    assert layer.variables == []


def test_passes_masks_on():
    mask = np.array([[True, False]])
    layer = layers.StochasticDepth(0.5)
    assert layer.compute_mask(np.ones((1, 2, 3)), mask) is mask


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"rate": 1}, r"`rate`. Expected a number in \[0, 1\). Received"),
        ({"rate": -0.1}, "`rate`. Expected a number"),
        ({"rate": True}, "`rate`. Expected a number"),
        ({"seed": 0.5}, "`seed`. Expected None or an integer"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.StochasticDepth(**{"rate": 0.5, **arguments})
