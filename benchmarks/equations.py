"""Each layer's equation, written by hand in `keras.ops`.

All in one file, as each is a few lines; those of sequences are in
`benchmarks.recurrences`.
"""

import numpy as np
from keras import ops

from kmul import layers

WIDTH, UNITS = 256, 256


def dense(x, kernel, bias):
    return ops.add(ops.matmul(x, kernel), bias)


def split_last(x, *sizes):
    """Cuts the last axis into axes of these sizes, one of which may be -1."""
    sizes = list(sizes)
    if -1 in sizes:
        sizes[sizes.index(-1)] = x.shape[-1] // -np.prod(sizes)
    return ops.reshape(x, (-1, *sizes))


def ssqrt_l2(x):
    magnitude = ops.abs(x)
    x = ops.sign(x) * ops.sqrt(ops.where(magnitude == 0, 1, magnitude))
    total = ops.sum(ops.square(x), -1, keepdims=True)
    return x / ops.sqrt(ops.maximum(total, 1e-24))


def multiply_unit(w, x):
    return dense(dense(x[0], w[0], w[1]) * dense(x[1], w[2], w[3]), w[4], w[5])


def residual_dense(w, x):
    return dense(x, *w) + x


def full_interaction(w, x):
    x, z = x
    m, n, units = w[0].shape
    outer = ops.reshape(z[:, :, None] * x[:, None, :], (-1, m * n))
    product = ops.matmul(outer, ops.reshape(w[0], (m * n, units)))
    return product + ops.matmul(x, w[1]) + dense(z, w[2], w[3])


def low_rank_interaction(w, x):
    x, z = x
    product = ops.matmul(x, w[0]) * ops.matmul(z, w[1])
    product = ops.matmul(product, w[2])
    return product + ops.matmul(x, w[3]) + dense(z, w[4], w[5])


def diagonal_interaction(w, x):
    return dense(x[1], w[0], w[1]) * x[0] + dense(x[1], w[2], w[3])


def film(w, x):
    scale, shift = ops.split(dense(x[1], *w), 2, -1)
    return (1 + scale) * x[0] + shift


def gated_dense(w, x):
    value, gate = ops.split(dense(x, *w), 2, -1)
    return value * ops.sigmoid(gate)


def highway_dense(w, x):
    gate = ops.sigmoid(dense(x, w[2], w[3]))
    return gate * ops.relu(dense(x, w[0], w[1])) + (1 - gate) * x


def squeeze_excite(w, x):
    hidden = ops.relu(dense(ops.mean(x, (1, 2)), w[0], w[1]))
    return x * ops.sigmoid(dense(hidden, w[2], w[3]))[:, None, None]


def polynomial(w, x):
    first, second = ops.split(ops.matmul(x, w[0]), 2, -1)
    return dense(second * first + first, w[1], w[2])


def polynomial_block(w, x):
    def convolve(x, kernel):
        return ops.conv(x, kernel, padding="same")

    residual = convolve(convolve(x, w[0]), w[1])
    return residual + x + convolve(x, w[2]) * convolve(x, w[3])


def mlb(w, x):
    first = ops.tanh(dense(x[0], w[0], w[1]))
    return dense(first * ops.tanh(dense(x[1], w[2], w[3])), w[4], w[5])


def mutan(w, x):
    first = dense(dense(x[0], w[0], w[1]), w[4], w[5])
    second = dense(dense(x[1], w[2], w[3]), w[6], w[7])
    product = split_last(first * second, -1, w[0].shape[-1])
    return dense(ops.sum(product, -2), w[8], w[9])


def mfb(w, x):
    product = dense(x[0], w[0], w[1]) * dense(x[1], w[2], w[3])
    pooled = ops.sum(split_last(product, w[4].shape[0], -1), -1)
    return dense(ssqrt_l2(pooled), w[4], w[5])


def mfh(w, x):
    width = w[8].shape[0] // 2
    first = dense(x[0], w[0], w[1]) * dense(x[1], w[2], w[3])
    second = first * dense(x[0], w[4], w[5]) * dense(x[1], w[6], w[7])
    pooled = [
        ssqrt_l2(ops.sum(split_last(each, width, -1), -1))
        for each in (first, second)
    ]
    return dense(ops.concatenate(pooled, -1), w[8], w[9])


def tucker(w, x):
    first, second = dense(x[0], w[0], w[1]), dense(x[1], w[2], w[3])
    width = w[4].shape[0]
    outer = split_last(first[:, :, None] * second[:, None], width * width)
    product = dense(outer, ops.reshape(w[4], (width * width, width)), w[5])
    return dense(product, w[6], w[7])


def block(w, x):
    chunks, rank, size = 16, 5, w[4].shape[0]
    merged = []
    for i in range(2):
        projected = dense(x[i], w[2 * i], w[2 * i + 1])
        projected = split_last(projected, chunks, size)
        kernel = ops.reshape(w[4 + 2 * i], (size, chunks, rank * size))
        each = ops.einsum("bcs,scw->bcw", projected, kernel)
        merged.append(each + ops.reshape(w[5 + 2 * i], (chunks, rank * size)))
    product = split_last(merged[0] * merged[1], chunks, rank, size)
    product = split_last(ssqrt_l2(ops.sum(product, -2)), chunks * size)
    return dense(product, w[8], w[9])


def tensor_fusion(w, x):
    first, second = (
        ops.concatenate([ops.ones_like(each[:, :1]), each], -1) for each in x
    )
    outer = first[:, :, None] * second[:, None, :]
    return dense(split_last(outer, w[0].shape[0]), *w)


def low_rank_fusion(w, x):
    first = dense(x[0], w[0][1:], w[0][0])
    product = first * dense(x[1], w[1][1:], w[1][0])
    product = split_last(product, w[2].shape[-1], w[3].shape[0])
    return ops.sum(product * ops.reshape(w[2], (-1, 1)), -2) + w[3]


def saturated(first, second):
    return ops.tanh(first) * ops.sigmoid(second)


def bounded_exp(x):
    """The layers' documented bound."""
    return ops.exp(ops.minimum(x, 80))


def nac(w, x):
    return ops.matmul(x, saturated(*w))


def mnac(w, x):
    exponent = ops.matmul(ops.log(ops.abs(x) + 1e-7), saturated(*w))
    return bounded_exp(exponent)


def nalu(w, x):
    kernel = saturated(w[0], w[1])
    gate = ops.sigmoid(ops.matmul(x, w[2]))
    exponent = ops.matmul(ops.log(ops.abs(x) + 1e-7), kernel)
    return gate * ops.matmul(x, kernel) + (1 - gate) * bounded_exp(exponent)


def selected_product(x, kernel):
    return ops.prod(x[:, :, None] * kernel + (1 - kernel), axis=1)


def inalu(w, x):
    kernel = saturated(w[2], w[3])
    magnitude = ops.log(ops.maximum(ops.abs(x), 1e-7))
    product = ops.exp(ops.minimum(ops.matmul(magnitude, kernel), 20))
    product = product * selected_product(ops.sign(x), ops.abs(kernel))
    gate = ops.sigmoid(w[4])
    total = ops.matmul(x, saturated(w[0], w[1]))
    return gate * total + (1 - gate) * product


def nau(w, x):
    return ops.matmul(x, w[0])


def nmu(w, x):
    return selected_product(x, w[0])


def polar(x, gate):
    magnitude = ops.log(gate * (ops.abs(x) + 1e-7) + (1 - gate))
    return magnitude, np.pi * gate * ops.cast(x < 0, "float32")


def real_npu(w, x):
    magnitude, angle = polar(x, w[1])
    product = bounded_exp(ops.matmul(magnitude, w[0]))
    return product * ops.cos(ops.matmul(angle, w[0]))


def npu(w, x):
    magnitude, angle = polar(x, w[2])
    exponent = ops.matmul(magnitude, w[0]) - ops.matmul(angle, w[1])
    turn = ops.matmul(angle, w[0]) + ops.matmul(magnitude, w[1])
    return bounded_exp(exponent) * ops.cos(turn)


def partial_conv(w, x):
    x, mask = x
    mask = ops.cast(mask != 0, "float32")
    count = ops.conv(mask, ops.ones((3, 3, 1, 1)), padding="same")
    valid = ops.cast(count > 0, "float32")
    raw = ops.conv(x * mask, w[0], padding="same")
    return raw * (9 / ops.maximum(count, 1) * valid) + w[1] * valid


def gated_conv(w, x):
    both = ops.conv(x, w[0], padding="same") + w[1]
    value, gate = ops.split(both, 2, -1)
    return ops.elu(value) * ops.sigmoid(gate)


def layer_normalized(x, gamma, beta):
    return ops.layer_normalization(x, gamma, beta, epsilon=1e-6)


def depthwise(x, kernel, bias=0, strides=1, dilation=1):
    outputs = ops.depthwise_conv(
        x, kernel, strides, "same", dilation_rate=dilation
    )
    return outputs + bias


def spatial_gate(w, x):
    hidden = ops.relu(w[3](depthwise(x, w[0], w[1])))
    return x * ops.sigmoid(ops.matmul(hidden, w[2]))


def channel_gate(w, x):
    mean = ops.mean(x, (1, 2), keepdims=True)
    return x * ops.sigmoid(ops.matmul(mean, w[0]))


def additive_mixer(w, x):
    query, key, value = ops.split(ops.matmul(x, w[0]), 3, -1)
    query = channel_gate(w[9:10], spatial_gate(w[5:9], query))
    key = channel_gate(w[14:15], spatial_gate(w[10:14], key))
    mixed = depthwise(query + key, w[1], w[2]) * value
    return depthwise(mixed, w[3], w[4])


def perceptron(x, w):
    hidden = ops.gelu(dense(x, w[0], w[1]), approximate=False)
    return dense(hidden, w[2], w[3])


def additive_block(w, x):
    local = depthwise(w[10](dense(x, w[0], w[1])), w[2], w[3])
    x = x + dense(ops.gelu(local, approximate=False), w[4], w[5])
    x = x + additive_mixer(w[12:27], w[11](x))
    return x + perceptron(w[27](x), w[6:10])


def strip_attention(w, x):
    few = depthwise(x, w[0], w[1], strides=2)
    _, height, width, channels = x.shape
    keys = few.shape[1] * few.shape[2]
    query = split_last(ops.matmul(x, w[2]), height * width, w[2].shape[1])
    key = split_last(ops.matmul(few, w[3]), keys, w[3].shape[1])
    value = split_last(ops.matmul(few, w[4]), keys, channels)
    scores = ops.matmul(query, ops.swapaxes(key, 1, 2))
    scores = scores * w[2].shape[1] ** -0.5
    mixed = split_last(
        ops.matmul(ops.softmax(scores), value), height, width, channels
    )
    return dense(mixed, w[5], w[6])


def hybrid_block(w, x):
    x = x + depthwise(x, w[0], w[1])
    x = x + strip_attention(w[16:23], layer_normalized(x, *w[2:4]))
    local = depthwise(layer_normalized(x, *w[4:6]), w[6], w[7])
    local = ops.gelu(w[23](local), approximate=False)
    x = x + depthwise(local, w[8], w[9])
    return x + perceptron(layer_normalized(x, *w[10:12]), w[12:16])


def multiplicative_filter(w, x):
    first, second, third, fourth = ops.split(ops.sin(dense(x, *w[:2])), 4, -1)
    z = second * dense(first, *w[2:4])
    z = fourth * dense(third * dense(z, *w[4:6]), *w[6:8])
    return dense(z, *w[8:])


def binary_masked_dense(w, x):
    kernel, bias, scores = w
    mask = ops.cast(scores > 0.005, "float32")
    mask = scores + ops.stop_gradient(mask - scores)
    return dense(x, kernel * mask, bias)


def star_block(w, x):
    h = w[10](depthwise(x, w[0], w[1]))
    product = ops.relu6(dense(h, w[2], w[3])) * dense(h, w[4], w[5])
    h = w[11](dense(product, w[6], w[7]))
    return x + depthwise(h, w[8], w[9])


def large_kernel_attention(w, x):
    gate = depthwise(depthwise(x, w[0], w[1]), w[2], w[3], dilation=3)
    return x * dense(gate, w[4], w[5])


def focal_modulation(w, x):
    query, context, gates = ops.split(dense(x, w[0], w[1]), [64, 128], -1)
    first = ops.gelu(depthwise(context, w[2]), approximate=False)
    second = ops.gelu(depthwise(first, w[3]), approximate=False)
    everywhere = ops.mean(second, (1, 2), keepdims=True)
    everywhere = ops.gelu(everywhere, approximate=False)
    modulator = gates[..., :1] * first + gates[..., 1:2] * second
    modulator = modulator + gates[..., 2:] * everywhere
    return dense(query * dense(modulator, w[4], w[5]), w[6], w[7])


def gated_recursive_conv(w, x):
    product, factors = ops.split(dense(x, w[0], w[1]), [16], -1)
    first, second, third = ops.split(
        depthwise(factors, w[2], w[3]), [16, 48], -1
    )
    product = dense(product * first, w[4], w[5]) * second
    return dense(dense(product, w[6], w[7]) * third, w[8], w[9])


def multi_order_gated_aggregation(w, x):
    h = dense(x, w[0], w[1])
    h = ops.silu(h + w[2] * (h - ops.mean(h, (1, 2), keepdims=True)))
    first, second, third = ops.split(depthwise(h, w[3], w[4]), [8, 32], -1)
    second = depthwise(second, w[5], w[6], dilation=2)
    third = depthwise(third, w[7], w[8], dilation=3)
    value = ops.concatenate([first, second, third], -1)
    value = ops.silu(dense(value, w[9], w[10]))
    gate = ops.silu(dense(h, w[11], w[12]))
    return x + dense(gate * value, w[13], w[14])


def spatial_gating(w, x):
    u, v = ops.split(x, 2, -1)
    v = layer_normalized(v, w[2], w[3])
    return u * (ops.matmul(w[0], v) + w[1][:, None])


ONE, TWO = (WIDTH,), [(WIDTH,), (WIDTH,)]
NARROW, IMAGES = (64,), (8, 8, 64)
# name → the layer, the same by hand, and the inputs' shapes without the batch.
CASES = {
    "MultiplyUnit": (lambda: layers.MultiplyUnit(UNITS), multiply_unit, TWO),
    "ResidualDense": (lambda: layers.ResidualDense(UNITS), residual_dense, ONE),
    "MultiplicativeInteraction, full": (
        lambda: layers.MultiplicativeInteraction(64),
        full_interaction,
        [(64,), (64,)],
    ),
    "MultiplicativeInteraction, low_rank": (
        lambda: layers.MultiplicativeInteraction(UNITS, "low_rank", 32),
        low_rank_interaction,
        TWO,
    ),
    "MultiplicativeInteraction, diagonal": (
        lambda: layers.MultiplicativeInteraction(form="diagonal"),
        diagonal_interaction,
        TWO,
    ),
    "HyperDense": (
        lambda: layers.HyperDense(64),
        full_interaction,
        [(64,), (64,)],
    ),
    "FiLM": (lambda: layers.FiLM(), film, TWO),
    "GatedDense": (lambda: layers.GatedDense(UNITS), gated_dense, ONE),
    "HighwayDense": (lambda: layers.HighwayDense(), highway_dense, ONE),
    "SqueezeExcite": (lambda: layers.SqueezeExcite(4), squeeze_excite, IMAGES),
    "PolynomialDense": (lambda: layers.PolynomialDense(UNITS), polynomial, ONE),
    "PolynomialBlock2D": (
        lambda: layers.PolynomialBlock2D(64, normalization=False),
        polynomial_block,
        IMAGES,
    ),
    "MLBFusion": (lambda: layers.MLBFusion(UNITS), mlb, TWO),
    "MUTANFusion": (lambda: layers.MUTANFusion(UNITS), mutan, TWO),
    "MFBFusion": (lambda: layers.MFBFusion(UNITS), mfb, TWO),
    "MFHFusion": (lambda: layers.MFHFusion(UNITS), mfh, TWO),
    "TuckerFusion": (lambda: layers.TuckerFusion(UNITS), tucker, TWO),
    "BLOCKFusion": (lambda: layers.BLOCKFusion(UNITS), block, TWO),
    "TensorFusion": (
        lambda: layers.TensorFusion(64),
        tensor_fusion,
        [(64,), (64,)],
    ),
    "LowRankFusion": (
        lambda: layers.LowRankFusion(UNITS),
        low_rank_fusion,
        TWO,
    ),
    "NAC": (lambda: layers.NAC(UNITS), nac, ONE),
    "MNAC": (lambda: layers.MNAC(UNITS), mnac, ONE),
    "NALU": (lambda: layers.NALU(UNITS), nalu, ONE),
    "INALU": (lambda: layers.INALU(64), inalu, NARROW),
    "NAU": (lambda: layers.NAU(UNITS), nau, ONE),
    "NMU": (lambda: layers.NMU(64), nmu, NARROW),
    "RealNPU": (lambda: layers.RealNPU(UNITS), real_npu, ONE),
    "NPU": (lambda: layers.NPU(UNITS), npu, ONE),
    "PartialConv2D": (
        lambda: layers.PartialConv2D(64, 3, padding="same"),
        partial_conv,
        [IMAGES, (8, 8, 1)],
    ),
    "GatedConv2D": (
        lambda: layers.GatedConv2D(64, 3, padding="same"),
        gated_conv,
        IMAGES,
    ),
    "SpatialGate2D": (layers.SpatialGate2D, spatial_gate, IMAGES),
    "ChannelGate2D": (layers.ChannelGate2D, channel_gate, IMAGES),
    "AdditiveTokenMixer2D": (
        layers.AdditiveTokenMixer2D,
        additive_mixer,
        IMAGES,
    ),
    "AdditiveBlock2D": (layers.AdditiveBlock2D, additive_block, IMAGES),
    "StripSelfAttention2D": (
        layers.StripSelfAttention2D,
        strip_attention,
        IMAGES,
    ),
    "HybridPerceptionBlock2D": (
        layers.HybridPerceptionBlock2D,
        hybrid_block,
        IMAGES,
    ),
    "BinaryMaskedDense": (
        lambda: layers.BinaryMaskedDense(UNITS),
        binary_masked_dense,
        ONE,
    ),
    "MultiplicativeFilter": (
        lambda: layers.MultiplicativeFilter(3, 64),
        multiplicative_filter,
        (2,),
    ),
    "StarBlock2D": (layers.StarBlock2D, star_block, IMAGES),
    "LargeKernelAttention2D": (
        layers.LargeKernelAttention2D,
        large_kernel_attention,
        IMAGES,
    ),
    "FocalModulation2D": (
        layers.FocalModulation2D,
        focal_modulation,
        IMAGES,
    ),
    "GatedRecursiveConv2D": (
        layers.GatedRecursiveConv2D,
        gated_recursive_conv,
        IMAGES,
    ),
    "MultiOrderGatedAggregation2D": (
        layers.MultiOrderGatedAggregation2D,
        multi_order_gated_aggregation,
        IMAGES,
    ),
    "SpatialGatingUnit": (
        lambda: layers.SpatialGatingUnit(kernel_initializer="glorot_uniform"),
        spatial_gating,
        (64, 128),
    ),
}
