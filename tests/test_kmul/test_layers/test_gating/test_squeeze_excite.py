import keras
import numpy as np
import pytest
from support.reference import assert_computes
from support.reference import prepare
from support.reference import sigmoid

from kmul import layers


def gates(weights, mean):
    hidden = mean @ weights["squeeze_kernel"] + weights["squeeze_bias"]
    hidden = np.maximum(hidden, 0)
    return sigmoid(hidden @ weights["excite_kernel"] + weights["excite_bias"])


@pytest.mark.parametrize("shape", [(6, 8), (6, 3, 8), (6, 3, 2, 8)])
def test_channels_last(shape):
    layer = layers.SqueezeExcite(ratio=2)
    weights, x = prepare(layer, shape)
    assert layer.count_params() == 2 * 8 * 4 + 4 + 8
    mean = x.mean(axis=tuple(range(1, x.ndim - 1)))
    gate = gates(weights, mean).reshape(6, *(1,) * (x.ndim - 2), 8)
    assert_computes(layer, x, x * gate)


@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 3), (6, 8, 3, 2)])
def test_channels_first(shape):
    layer = layers.SqueezeExcite(ratio=100, data_format="channels_first")
    weights, x = prepare(layer, shape)
    assert weights["squeeze_kernel"].shape == (8, 1)
    mean = x.mean(axis=tuple(range(2, x.ndim)))
    gate = gates(weights, mean).reshape(6, 8, *(1,) * (x.ndim - 2))
    assert_computes(layer, x, x * gate)


def test_masked_positions_are_left_out_of_the_mean():
    layer = layers.SqueezeExcite(ratio=2)
    weights, x = prepare(layer, (2, 3, 8))
    mask = np.array([[True, True, False], [False, False, False]])
    mean = np.stack([x[0, :2].mean(axis=0), np.zeros(8)])
    expected = x * gates(weights, mean)[:, None]
    assert_computes(layer, x, expected, mask=mask)


def test_what_is_masked_may_be_nan():
    layer = layers.SqueezeExcite(ratio=2)
    weights, x = prepare(layer, (2, 3, 8))
    mask = np.array([[True, True, False], [True, True, True]])
    mean = np.stack([x[0, :2].mean(axis=0), x[1].mean(axis=0)])
    expected = x * gates(weights, mean)[:, None]
    expected[0, 2] = x[0, 2] = np.nan
    assert_computes(layer, x, expected, mask=mask)


def test_data_format_is_resolved_when_made(monkeypatch):
    monkeypatch.setattr(
        keras.config, "image_data_format", lambda: "channels_first"
    )
    layer = layers.SqueezeExcite()
    monkeypatch.undo()
    assert layer.get_config()["data_format"] == "channels_first"
    assert layer.compute_output_shape((2, 8, 3, 3)) == (2, 8, 3, 3)
    layer.build((2, 8, 3, 3))
    assert layer.squeeze_kernel.shape[0] == 8


def test_bad_arguments_and_shapes():
    with pytest.raises(ValueError, match=r"`ratio`. Expected a positive"):
        layers.SqueezeExcite(0)
    with pytest.raises(ValueError, match=r"`data_format`. Expected one of"):
        layers.SqueezeExcite(data_format="NCHW")
    layer = layers.SqueezeExcite(data_format="channels_first")
    with pytest.raises(ValueError, match="should be defined"):
        layer.build((2, None, 4, 4))
