import keras
import numpy as np
import pytest
from keras import ops
from support.closeness import assert_close
from support.closeness import to_numpy
from support.layer_checks import random_inputs

from kmul.layers import DepthWeightedAverage
from kmul.layers import LayerAttention
from kmul.layers import ResidualMix
from kmul.layers import ScalarMix

SHAPES = [(2, 3, 4), (2, 3, 4)]


@pytest.mark.parametrize("beta", [0, 0.3, 1])
def test_residual_mix(beta):
    x, fx = random_inputs(SHAPES)
    layer = ResidualMix(beta)
    assert_close(layer([x, fx]), beta * fx + (1 - beta) * x)
    assert layer.count_params() == 1


def test_residual_mix_per_channel():
    x, fx = random_inputs(SHAPES)
    layer = ResidualMix(0.5, per="channel")
    layer.build(SHAPES)
    beta = np.array([0, 0.2, 0.7, 1], "float32")
    layer.beta.assign(beta)
    assert_close(layer([x, fx]), beta * fx + (1 - beta) * x)


@pytest.mark.parametrize("target, expected", [(5.0, 1.0), (-5.0, 0.0)])
def test_beta_stays_between_0_and_1(target, expected):
    x, fx = keras.Input((4,)), keras.Input((4,))
    model = keras.Model([x, fx], ResidualMix(0.5)([x, fx]))
    model.compile(keras.optimizers.SGD(10.0), "mse")
    zeros, ones = np.zeros((8, 4), "float32"), np.ones((8, 4), "float32")
    model.fit([zeros, ones], target * ones, epochs=2, verbose=0)
    assert model.get_weights()[0] == expected
    # It is not stuck there.
    model.fit([zeros, ones], 0.5 * ones, verbose=0)
    assert model.get_weights()[0] != expected


def test_a_weighting_of_layer_attention_is_the_residual_sum():
    x, fx = random_inputs(SHAPES)
    attention = LayerAttention(12, "static", use_bias=False)
    attention.build(SHAPES)
    for kernel in attention.kernels:
        kernel.assign(np.eye(12))
    attention.logits.assign(np.log([0.7, 0.3]))
    assert_close(
        attention([x, fx]),
        ops.reshape(ResidualMix(0.3)([x, fx]), (2, 12)),
    )


def test_scalar_mix():
    inputs = random_inputs([(2, 3, 4)] * 3)
    layer = ScalarMix()
    assert_close(
        layer(inputs),
        np.mean(inputs, axis=0),
    )
    layer.logits.assign(np.log([0.5, 0.3, 0.2]))
    layer.scale.assign(3.0)
    assert_close(
        layer(inputs),
        1.5 * inputs[0] + 0.9 * inputs[1] + 0.6 * inputs[2],
    )
    assert layer.count_params() == 4


def normalized(x, kept):
    """Layer normalization as ELMo has it: two numbers for a whole batch."""
    values = x[kept]
    return (x - values.mean()) / np.sqrt(values.var() + 1e-12)


@pytest.mark.parametrize("masked", [False, True])
def test_scalar_mix_normalized(masked):
    inputs = [3 + 2 * x for x in random_inputs([(2, 3, 4)] * 2)]
    kept = np.ones((2, 3), "bool")
    if masked:
        kept[0, 1:] = False
    layer = ScalarMix(normalize=True)
    layer.build([(2, 3, 4)] * 2)
    layer.logits.assign(np.log([0.6, 0.4]))
    layer.scale.assign(2.0)
    expected = 1.2 * normalized(inputs[0], kept)
    expected += 0.8 * normalized(inputs[1], kept)
    found = layer(inputs, mask=[kept, None] if masked else None)
    assert_close(found, expected)
    copy = ScalarMix.from_config(layer.get_config())
    assert copy.normalize


def test_scalar_mix_normalized_ignores_what_is_masked():
    inputs = random_inputs([(2, 3, 4)] * 2)
    kept = np.array([[1, 1, 0]] * 2, "bool")
    layer = ScalarMix(normalize=True)
    before = to_numpy(layer(inputs, mask=[kept, kept]))
    for x in inputs:
        x[:, 2] = np.nan
    after = to_numpy(layer(inputs, mask=[kept, kept]))
    np.testing.assert_array_equal(after[kept], before[kept])


def test_scalar_mix_normalized_in_half_precision():
    inputs = [3e3 * x for x in random_inputs([(2, 3, 4)] * 2)]
    found = ScalarMix(normalize=True, dtype="mixed_float16")(inputs)
    kept = np.ones((2, 3), "bool")
    expected = np.mean([normalized(x, kept) for x in inputs], axis=0)
    assert_close(ops.cast(found, "float32"), expected, atol=5e-3)


def test_depth_weighted_average():
    inputs = random_inputs([(2, 3, 4)] * 3)
    layer = DepthWeightedAverage()
    np.testing.assert_array_equal(to_numpy(layer(inputs)), inputs[-1])
    layer.alpha.assign([0.5, -1.0, 2.0])
    assert_close(
        layer(inputs),
        0.5 * inputs[0] - inputs[1] + 2 * inputs[2],
    )
    assert layer.count_params() == 3


@pytest.mark.parametrize(
    "count, dilation, counting",
    [
        (2, 2, [1]),
        (3, 2, [0, 2]),
        (4, 2, [1, 3]),
        (5, 2, [0, 2, 4]),
        (5, 3, [1, 4]),
        (4, 9, [3]),
    ],
)
def test_depth_weighted_average_dilated(count, dilation, counting):
    inputs = random_inputs([(2, 3, 4)] * count)
    layer = DepthWeightedAverage(dilation)
    np.testing.assert_array_equal(to_numpy(layer(inputs)), inputs[-1])
    assert layer.count_params() == len(counting)
    alpha = np.arange(1.0, len(counting) + 1)
    layer.alpha.assign(alpha)
    expected = sum(a * inputs[i] for a, i in zip(alpha, counting, strict=True))
    assert_close(layer(inputs), expected)
    masks = [np.array([[True, i not in counting]]) for i in range(count)]
    mask = to_numpy(layer.compute_mask(None, masks))
    np.testing.assert_array_equal(mask, [[True, False]])


def test_depth_weighted_average_after_every_second_block():
    layers = [DepthWeightedAverage(period=2) for _ in range(4)]
    inputs = random_inputs([(2, 3, 4)] * 5)
    for blocks, layer in enumerate(layers, 1):
        found = layer(inputs[: blocks + 1])
        np.testing.assert_array_equal(to_numpy(found), inputs[blocks])
    assert [layer.count_params() for layer in layers] == [0, 3, 0, 5]
    config = layers[0].get_config()
    assert DepthWeightedAverage.from_config(config).period == 2


def test_masks_pass():
    kept = np.array([[1, 1, 0]] * 2, "bool")
    other = np.array([[1, 0, 1]] * 2, "bool")
    mask = ResidualMix().compute_mask(None, [kept, other])
    np.testing.assert_array_equal(to_numpy(mask), kept)
    for layer in (ScalarMix(), DepthWeightedAverage()):
        mask = layer.compute_mask(None, [kept, None, other])
        np.testing.assert_array_equal(to_numpy(mask), kept & other)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), True, "half"])
def test_bad_initial_value(value):
    with pytest.raises(
        ValueError,
        match="Invalid value for argument `initial_value`. Expected a number "
        r"in \[0, 1\]. Received: initial_value=",
    ):
        ResidualMix(value)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: ScalarMix(normalize="yes"), "Received: normalize='yes'"),
        (lambda: DepthWeightedAverage(0), "Received: dilation=0"),
        (lambda: DepthWeightedAverage(period=1.5), "Received: period=1.5"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_bad_per():
    with pytest.raises(
        ValueError,
        match="Invalid value for argument `per`. Expected one of "
        r"\('layer', 'channel'\). Received: per='batch'",
    ):
        ResidualMix(per="batch")


@pytest.mark.parametrize("layer", [ResidualMix, ScalarMix])
def test_different_shapes(layer):
    with pytest.raises(
        ValueError,
        match=f"All inputs of `{layer.__name__}` should have one shape. "
        r"Received: input_shape=\[\(2, 4\), \(2, 5\)\]",
    ):
        layer().build([(2, 4), (2, 5)])


def test_residual_mix_of_three():
    with pytest.raises(
        ValueError,
        match=r"should be called on two tensors, \[x, f\(x\)\]. "
        r"Received: input_shape=\[\(2, 4\), \(2, 4\), \(2, 4\)\]",
    ):
        ResidualMix().build([(2, 4)] * 3)
