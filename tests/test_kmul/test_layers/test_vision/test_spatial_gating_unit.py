import keras
import numpy as np
import pytest
from keras import ops
from support.layer_checks import random_inputs
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers


def formula(w, x, mask=1):
    """Of (batch, positions, channels)."""
    u, v = np.split(x, 2, -1)
    v = (v - v.mean(-1, keepdims=True)) / np.sqrt(
        v.var(-1, keepdims=True) + 1e-6
    )
    v = (v * w["gamma"] + w["beta"]) * mask
    return u * (w["kernel"] @ v + w["bias"][:, None])


def test_formula():
    layer = layers.SpatialGatingUnit(data_format="channels_last")
    weights, x = prepare(layer, (2, 5, 6))
    assert_computes(layer, x, formula(weights, x))


@pytest.mark.backends("torch")
def test_images_are_sequences_of_their_pixels():
    layer = layers.SpatialGatingUnit(data_format="channels_last")
    weights, x = prepare(layer, (2, 3, 4, 6))
    expected = formula(weights, x.reshape(2, 12, 6)).reshape(2, 3, 4, 3)
    assert_computes(layer, x, expected)
    first = layers.SpatialGatingUnit(data_format="channels_first")
    first.build((2, 6, 3, 4))
    first.set_weights(layer.get_weights())
    assert_computes(first, np.moveaxis(x, -1, 1), np.moveaxis(expected, -1, 1))


@pytest.mark.backends("torch")
def test_masked_positions_change_no_other():
    layer = layers.SpatialGatingUnit()
    weights, x = prepare(layer, (2, 5, 6))
    mask = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]], "bool")
    expected = formula(weights, x, mask[..., None])
    assert_computes(layer, x, expected, mask=mask)
    x[~mask] = 1e6
    found = ops.convert_to_numpy(layer(np.float32(x), mask=mask))
    np.testing.assert_allclose(found[mask], expected[mask], rtol=1e-4)


@pytest.mark.backends("torch")
def test_starts_as_the_first_half():
    x = random_inputs((2, 5, 6))
    found = ops.convert_to_numpy(layers.SpatialGatingUnit()(x))
    np.testing.assert_allclose(found, x[..., :3], rtol=1e-4)
    layer = layers.SpatialGatingUnit(kernel_initializer="zeros")
    assert isinstance(layer.kernel_initializer, keras.initializers.Zeros)


@pytest.mark.parametrize("shape", [(2, 6), (2, None, 6), (2, 5, 7)])
def test_bad_shapes(shape):
    with pytest.raises(ValueError, match="rank 3 or more with an even number"):
        layers.SpatialGatingUnit().build(shape)
