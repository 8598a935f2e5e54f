import pytest
from support.convolution import convolve_depthwise
from support.reference import assert_computes
from support.reference import prepare
from support.reference import sigmoid

from kmul import layers


def formula(w, x, ends, act):
    h = x @ w["input_kernel"] + w["input_bias"]
    h = act(h + w["scale"] * (h - h.mean((1, 2), keepdims=True)))
    v = convolve_depthwise(h, w["depthwise_0_kernel"]) + w["depthwise_0_bias"]
    parts = [slice(*ends[:2]), slice(*ends[1:])]
    for k, part in enumerate(parts, 1):
        kernel = w[f"depthwise_{k}_kernel"]
        v[..., part] = convolve_depthwise(v[..., part], kernel, k + 1)
        v[..., part] += w[f"depthwise_{k}_bias"]
    v = act(v @ w["value_kernel"] + w["value_bias"])
    g = act(h @ w["gate_kernel"] + w["gate_bias"])
    return x + (g * v) @ w["output_kernel"] + w["output_bias"]


def silu(x):
    return x * sigmoid(x)


def test_formula():
    layer = layers.MultiOrderGatedAggregation2D(data_format="channels_last")
    weights, x = prepare(layer, (1, 11, 10, 8))
    assert weights["depthwise_1_kernel"].shape == (5, 5, 3, 1)
    assert weights["depthwise_2_kernel"].shape == (7, 7, 4, 1)
    assert_computes(layer, x, formula(weights, x, [1, 4, 8], silu))


@pytest.mark.backends("torch")
@pytest.mark.parametrize("channels, ends", [(3, [1, 2, 3]), (15, [3, 8, 15])])
def test_any_number_of_channels(channels, ends):
    layer = layers.MultiOrderGatedAggregation2D(activation="linear")
    weights, x = prepare(layer, (2, 5, 4, channels))
    assert_computes(layer, x, formula(weights, x, ends, lambda x: x))


def test_bad_arguments():
    with pytest.raises(ValueError, match="`initial_scale`. Expected a finite"):
        layers.MultiOrderGatedAggregation2D(initial_scale=None)
    with pytest.raises(ValueError, match="should have at least 3 channels"):
        layers.MultiOrderGatedAggregation2D().build((2, 4, 4, 2))
