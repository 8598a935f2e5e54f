"""The layers of CAS-ViT and S2AFormer as written out in NumPy.

Once: other tests compare them with Keras's NumPy backend on every backend.
"""

import math

import numpy as np
import pytest
from keras import ops
from support.convolution import convolve
from support.layer_checks import random_inputs
from support.reference import assert_computes
from support.reference import sigmoid

from kmul import layers

pytestmark = pytest.mark.backends("torch")


def prepare(layer, shape):
    """Gives every weight random values, returns them by path, and inputs."""
    layer.build(shape)
    rng = np.random.default_rng(3)
    weights = {}
    for variable in layer.weights:
        variable.assign(rng.uniform(0.2, 1.0, variable.shape) * 0.7)
        path = variable.path.partition("/")[2]
        weights[path] = np.asarray(variable.numpy(), "float64")
    return Weights(weights), random_inputs(shape).astype("float64")


class Weights(dict):
    def of(self, layer):
        prefix = f"{layer}/"
        return Weights(
            {
                path.removeprefix(prefix): value
                for path, value in self.items()
                if path.startswith(prefix)
            }
        )


def depthwise(x, kernel, bias, strides=1):
    """Each channel on its own."""
    outputs = [
        convolve(x[..., [c]], kernel[:, :, [c]], strides)
        for c in range(x.shape[-1])
    ]
    return np.concatenate(outputs, -1) + bias


def normalize(x, w):
    scale = w["gamma"] / np.sqrt(w["moving_variance"] + 1e-5)
    return (x - w["moving_mean"]) * scale + w["beta"]


def layer_normalize(x, w, number):
    gamma, beta = (w[f"normalization_{number}_{n}"] for n in ("gamma", "beta"))
    centered = x - x.mean(-1, keepdims=True)
    variance = np.square(centered).mean(-1, keepdims=True)
    return centered / np.sqrt(variance + 1e-6) * gamma + beta


def gelu(x):
    return x * (1 + np.vectorize(math.erf)(x / np.sqrt(2))) / 2


def spatial_gate(x, w):
    hidden = depthwise(x, w["depthwise_kernel"], w["depthwise_bias"])
    hidden = np.maximum(normalize(hidden, w.of("normalization")), 0)
    return x * sigmoid(hidden @ w["gate_kernel"])


def channel_gate(x, w):
    return x * sigmoid(x.mean((1, 2)) @ w["gate_kernel"])[:, None, None]


def mixer(x, w):
    q, k, v = np.split(x @ w["projection_kernel"], 3, -1)
    q = spatial_gate(q, w.of("query_spatial_gate"))
    q = channel_gate(q, w.of("query_channel_gate"))
    k = spatial_gate(k, w.of("key_spatial_gate"))
    k = channel_gate(k, w.of("key_channel_gate"))
    mixed = depthwise(q + k, w["mixing_kernel"], w["mixing_bias"])
    return depthwise(mixed * v, w["output_kernel"], w["output_bias"])


def strip_attention(x, w, heads, reduction):
    """Query by query, head by head."""
    few = depthwise(x, w["reduction_kernel"], w["reduction_bias"], reduction)
    query, key, value = (
        np.split(each @ w[f"{name}_kernel"], heads, -1)
        for each, name in ((x, "query"), (few, "key"), (few, "value"))
    )
    mixed = []
    for q, k, v in zip(query, key, value, strict=True):
        outputs = np.zeros((*x.shape[:3], v.shape[-1]))
        for b, i, j in np.ndindex(*x.shape[:3]):
            scores = np.exp(k[b] @ q[b, i, j] / np.sqrt(q.shape[-1]))
            share = scores / scores.sum()
            outputs[b, i, j] = np.einsum("hw,hwc->c", share, v[b])
        mixed.append(outputs)
    return np.concatenate(mixed, -1) @ w["output_kernel"] + w["output_bias"]


@pytest.mark.parametrize(
    "layer, function",
    [
        (layers.SpatialGate2D, spatial_gate),
        (layers.ChannelGate2D, channel_gate),
        (layers.AdditiveTokenMixer2D, mixer),
    ],
)
def test_gates_and_mixer(layer, function):
    layer = layer()
    weights, x = prepare(layer, (2, 5, 4, 3))
    assert_computes(layer, x, function(x, weights))


@pytest.mark.parametrize("reduction", [2, 3])
def test_strip_self_attention(reduction):
    layer = layers.StripSelfAttention2D(2, key_dim=3, reduction=reduction)
    weights, x = prepare(layer, (2, 5, 4, 6))
    expected = strip_attention(x, weights, 2, reduction)
    assert_computes(layer, x, expected)
    assert layer.count_params() == (
        reduction**2 * 6 + 6 + 2 * 6 * 6 + 2 * 6 * 6 + 6
    )


def test_strip_self_attention_without_a_reduction():
    layer = layers.StripSelfAttention2D(reduction=1)
    weights, x = prepare(layer, (2, 3, 4, 2))
    assert not any("reduction" in name for name in weights)
    weights["reduction_kernel"] = np.ones((1, 1, 2, 1))
    weights["reduction_bias"] = 0
    assert_computes(layer, x, strip_attention(x, weights, 1, 1))


def test_hybrid_perception_block():
    layer = layers.HybridPerceptionBlock2D(2, 2, expansion=3)
    w, x = prepare(layer, (2, 5, 4, 4))
    h = x + depthwise(x, w["position_kernel"], w["position_bias"])
    normal = layer_normalize(h, w, 1)
    h = h + strip_attention(normal, w.of("attention"), 2, 2)
    local = layer_normalize(h, w, 2)
    local = depthwise(local, w["local_in_kernel"], w["local_in_bias"])
    local = gelu(normalize(local, w.of("local_normalization")))
    h = h + depthwise(local, w["local_out_kernel"], w["local_out_bias"])
    mlp = layer_normalize(h, w, 3) @ w["mlp_in_kernel"]
    mlp = gelu(mlp + w["mlp_in_bias"]) @ w["mlp_out_kernel"]
    assert_computes(layer, x, h + mlp + w["mlp_out_bias"])


def test_no_two_kernels_start_equal():
    for layer in (
        layers.AdditiveBlock2D(1, kernel_initializer="glorot_normal"),
        layers.HybridPerceptionBlock2D(
            1, key_dim=8, expansion=1, kernel_initializer="he_uniform"
        ),
    ):
        layer.build((2, 5, 5, 8))
        kernels = [
            variable.numpy().ravel()
            for variable in layer.trainable_variables
            if len(variable.shape) > 1
        ]
        for number, kernel in enumerate(kernels):
            for other in kernels[:number]:
                size = min(len(kernel), len(other), 16)
                assert not np.allclose(kernel[:size], other[:size])


def test_depthwise_kernels_start_as_those_of_one_channel():
    layer = layers.SpatialGate2D()
    layer.build((2, 5, 5, 200))
    kernel = layer.depthwise_kernel.numpy()
    assert 0.95 < np.abs(kernel).max() / np.sqrt(3 / 9) <= 1


def test_stochastic_depth_spares_the_local_perception():
    layer = layers.AdditiveBlock2D(drop_rate=0.9, seed=1)
    _, x = prepare(layer, (64, 3, 3, 2))
    x = x.astype("float32")
    samples = ops.convert_to_numpy(layer(x, training=True)).reshape(64, -1)
    layer.stochastic_depth.rate = 0.999999
    spared = ops.convert_to_numpy(layer(x, training=True)).reshape(64, -1)
    kept = np.isclose(samples, spared, rtol=1e-4).all(1).mean()
    assert 0.6 < kept < 0.95  # 0.9² on average
    assert np.abs(spared - x.reshape(64, -1)).max() > 0.1


@pytest.mark.parametrize(
    "layer, arguments, message",
    [
        ("SpatialGate2D", {"kernel_size": 0}, "`kernel_size`. Expected a pos"),
        ("ChannelGate2D", {"data_format": "hwc"}, "`data_format`. Expected"),
        ("AdditiveTokenMixer2D", {"kernel_size": 2.5}, "kernel_size=2.5"),
        ("AdditiveBlock2D", {"expansion": 0}, "`expansion`. Expected a pos"),
        ("AdditiveBlock2D", {"drop_rate": 1}, r"`drop_rate`. .* in \[0, 1\)"),
        ("StripSelfAttention2D", {"num_heads": 0}, "`num_heads`. Expected"),
        ("StripSelfAttention2D", {"key_dim": 0}, "`key_dim`. Expected"),
        ("StripSelfAttention2D", {"reduction": True}, "reduction=True"),
        ("HybridPerceptionBlock2D", {"expansion": -1}, "expansion=-1"),
    ],
)
def test_bad_arguments(layer, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(layers, layer)(**arguments)


def test_bad_shapes():
    with pytest.raises(ValueError, match="multiple of its heads. Received"):
        layers.HybridPerceptionBlock2D(num_heads=3).build((2, 5, 5, 4))
    with pytest.raises(ValueError, match="`AdditiveBlock2D` should be called"):
        layers.AdditiveBlock2D().build((2, 5, 5))
