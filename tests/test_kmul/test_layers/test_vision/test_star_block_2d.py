import numpy as np
import pytest
from keras import ops
from support.convolution import convolve_depthwise
from support.layer_checks import random_inputs
from support.reference import assert_computes
from support.reference import to_double

from kmul import layers


def prepare(layer, shape):
    """As `support.reference.prepare`, with moving statistics."""
    layer.build(shape)
    rng = np.random.default_rng(1)
    weights = {}
    for variable in layer.variables:
        if "seed" in variable.path:
            continue
        value = rng.uniform(0.1, 0.9, variable.shape).astype("float32")
        variable.assign(value)
        weights[variable.path.partition("/")[2]] = to_double(value)
    return weights, to_double(random_inputs(shape))


def normalize(w, name, x):
    x = (x - w[f"{name}/moving_mean"]) / np.sqrt(
        w[f"{name}/moving_variance"] + 1e-5
    )
    return x * w[f"{name}/gamma"] + w[f"{name}/beta"]


def branch(w, x):
    h = convolve_depthwise(x, w["depthwise_1_kernel"]) + w["depthwise_1_bias"]
    h = normalize(w, "normalization_1", h)
    first, second = (
        h @ w[f"factor_{i}_kernel"] + w[f"factor_{i}_bias"] for i in (1, 2)
    )
    h = np.clip(first, 0, 6) * second
    h = h @ w["output_kernel"] + w["output_bias"]
    h = normalize(w, "normalization_2", h)
    h = convolve_depthwise(h, w["depthwise_2_kernel"])
    return h + w["depthwise_2_bias"]


def test_formula():
    layer = layers.StarBlock2D(2, data_format="channels_last")
    weights, x = prepare(layer, (1, 8, 9, 3))
    assert weights["factor_1_kernel"].shape == (3, 6)
    assert weights["depthwise_2_kernel"].shape == (7, 7, 3, 1)
    assert_computes(layer, x, x + branch(weights, x))


@pytest.mark.backends("torch")
def test_a_dropped_branch_leaves_the_input():
    layer = layers.StarBlock2D(2, drop_rate=0.5, seed=0)
    x = random_inputs((16, 4, 4, 2))
    same = np.all(ops.convert_to_numpy(layer(x, training=True)) == x, (1, 2, 3))
    assert 0 < same.sum() < 16
    assert not np.any(ops.convert_to_numpy(layer(x)) == x)


@pytest.mark.backends("torch")
def test_the_factors_differ_with_one_seed():
    layer = layers.StarBlock2D(
        kernel_initializer={"class_name": "HeNormal", "config": {"seed": 1}}
    )
    layer.build((2, 4, 4, 3))
    (first, _), (second, _) = layer.factors
    assert not np.allclose(
        ops.convert_to_numpy(first), ops.convert_to_numpy(second)
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"ratio": 0.5}, "`ratio`. Expected a positive integer"),
        ({"kernel_size": (7, 7)}, r"Received: kernel_size=\(7, 7\)"),
        ({"drop_rate": 1}, r"`drop_rate`. Expected a number in \[0, 1\)"),
        ({"seed": "a"}, "Received: seed='a'"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.StarBlock2D(**arguments)
