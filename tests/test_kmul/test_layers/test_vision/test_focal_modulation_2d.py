import math

import numpy as np
import pytest
from support.convolution import convolve_depthwise
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers


def gelu(x):
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def formula(w, x, levels, divide=False):
    channels = x.shape[-1]
    x = x @ w["input_kernel"] + w["input_bias"]
    query, context = x[..., :channels], x[..., channels : 2 * channels]
    gates = x[..., 2 * channels :]
    modulator = 0
    for level in range(levels):
        kernel = w[f"context_{level + 1}_kernel"]
        context = gelu(convolve_depthwise(context, kernel))
        modulator = modulator + gates[..., level : level + 1] * context
    everywhere = gelu(context.mean((1, 2), keepdims=True))
    modulator = modulator + gates[..., levels:] * everywhere
    if divide:
        modulator = modulator / (levels + 1)
    y = query * (modulator @ w["modulator_kernel"] + w["modulator_bias"])
    if "gamma" in w:
        y = (y - y.mean(-1, keepdims=True)) / np.sqrt(
            y.var(-1, keepdims=True) + 1e-5
        )
        y = y * w["gamma"] + w["beta"]
    return y @ w["output_kernel"] + w["output_bias"]


def test_formula():
    layer = layers.FocalModulation2D(2, data_format="channels_last")
    weights, x = prepare(layer, (2, 5, 4, 3))
    assert weights["input_kernel"].shape == (3, 9)
    assert weights["context_2_kernel"].shape == (5, 5, 3, 1)
    assert_computes(layer, x, formula(weights, x, 2))


@pytest.mark.backends("torch")
@pytest.mark.parametrize("divide, normalize", [(True, False), (True, True)])
def test_options(divide, normalize):
    layer = layers.FocalModulation2D(
        3, 5, divide_by_levels=divide, normalization=normalize
    )
    weights, x = prepare(layer, (2, 5, 4, 3))
    assert weights["context_3_kernel"].shape == (9, 9, 3, 1)
    assert_computes(layer, x, formula(weights, x, 3, divide))


def test_bad_arguments():
    with pytest.raises(ValueError, match="`levels`. Expected a positive int"):
        layers.FocalModulation2D(0)
    with pytest.raises(ValueError, match="Received: kernel_size=-3"):
        layers.FocalModulation2D(2, -3)
