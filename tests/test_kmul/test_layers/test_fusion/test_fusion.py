import numpy as np
import pytest
from keras import ops
from support.gradients import gradients
from support.gradients import layer_gradients
from support.reference import assert_computes
from support.reference import prepare
from support.reference import to_single

from kmul import layers
from kmul._normalization import l2_normalize
from kmul._normalization import signed_sqrt

from .formulas import SHAPES
from .formulas import dense
from .formulas import normalized

TWO_INPUTS = (
    layers.MLBFusion,
    layers.MUTANFusion,
    layers.MFBFusion,
    layers.MFHFusion,
    layers.TuckerFusion,
    layers.BLOCKFusion,
    layers.BLOCKTuckerFusion,
    layers.MCBFusion,
)
MORE_INPUTS = (layers.TensorFusion, layers.LowRankFusion)


@pytest.mark.parametrize("shapes", SHAPES)
def test_mlb(shapes):
    layer = layers.MLBFusion(3, hidden_units=5, hidden_activation="relu")
    weights, (x, y) = prepare(layer, shapes)
    first = np.maximum(dense(weights, "first", x), 0)
    second = np.maximum(dense(weights, "second", y), 0)
    assert_computes(layer, [x, y], dense(weights, "output", first * second))


@pytest.mark.parametrize("shapes", SHAPES)
def test_mutan(shapes):
    layer = layers.MUTANFusion(3, hidden_units=5, rank=2)
    weights, (x, y) = prepare(layer, shapes)
    first = dense(weights, "first_merge", dense(weights, "first", x))
    second = dense(weights, "second_merge", dense(weights, "second", y))
    product = first * second
    expected = dense(weights, "output", product[..., :5] + product[..., 5:])
    assert_computes(layer, [x, y], expected)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("shapes", SHAPES)
def test_mfb(shapes, normalize):
    layer = layers.MFBFusion(3, 5, factor=2, normalize=normalize)
    weights, (x, y) = prepare(layer, shapes)
    product = dense(weights, "first", x) * dense(weights, "second", y)
    pooled = product[..., 0::2] + product[..., 1::2]
    if normalize:
        pooled = normalized(pooled)
    assert_computes(layer, [x, y], dense(weights, "output", pooled))


@pytest.mark.parametrize("shapes", SHAPES)
def test_mfh(shapes):
    layer = layers.MFHFusion(3, 5, factor=2)
    weights, (x, y) = prepare(layer, shapes)
    product, pooled = 1.0, []
    for i in range(2):
        each = dense(weights, "first", x, f"_{i}")
        each = each * dense(weights, "second", y, f"_{i}")
        product = each * product
        pooled.append(normalized(product[..., 0::2] + product[..., 1::2]))
    pooled = np.concatenate(pooled, axis=-1)
    assert_computes(layer, [x, y], dense(weights, "output", pooled))


@pytest.mark.parametrize("shapes", SHAPES)
def test_tucker(shapes):
    layer = layers.TuckerFusion(3, hidden_units=5)
    weights, (x, y) = prepare(layer, shapes)
    product = weights["core_bias"] + np.einsum(
        "...i,...j,ijo->...o",
        dense(weights, "first", x),
        dense(weights, "second", y),
        weights["core_kernel"],
    )
    assert_computes(layer, [x, y], dense(weights, "output", product))


@pytest.mark.parametrize(
    "make",
    [
        lambda **kwargs: layers.MUTANFusion(3, 6, rank=2, **kwargs),
        lambda **kwargs: layers.TuckerFusion(3, 6, **kwargs),
        lambda **kwargs: layers.BLOCKFusion(3, 7, chunks=2, **kwargs),
        lambda **kwargs: layers.BLOCKTuckerFusion(3, 7, chunks=2, **kwargs),
    ],
)
def test_shared_projections(make):
    shared, free = make(shared=True), make()
    weights, (x, y) = prepare(shared, [(6, 4), (6, 4)])
    free.build([(6, 4), (6, 4)])
    free.set_weights(
        [
            weights[variable.path.split("/")[-1].replace("second", "first")]
            for variable in free.weights
        ]
    )
    expected = ops.convert_to_numpy(free(to_single([x, y])))
    assert_computes(shared, [x, y], expected)
    with pytest.raises(ValueError, match="With `shared=True` both inputs"):
        make(shared=True).build([(6, 4), (6, 5)])


# JAX compiles each anew; what it drops, Keras's own layers do.
@pytest.mark.backends("tensorflow", "torch")
@pytest.mark.parametrize("fusion", TWO_INPUTS)
def test_activation_and_dropout(fusion):
    inputs = [np.ones((4, 5), "float32"), np.ones((4, 3), "float32")]
    plain = fusion(2, 32, bias_initializer="ones")
    layer = fusion(2, 32, activation="exponential", dropout=0.5, seed=3)
    expected = np.exp(ops.convert_to_numpy(plain(inputs)))
    layer.build([x.shape for x in inputs])
    layer.set_weights(plain.get_weights())
    found = ops.convert_to_numpy(layer(inputs))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    trained = ops.convert_to_numpy(layer(inputs, training=True))
    assert np.abs(trained / expected - 1).max() > 1e-3


def with_one(x):
    return np.concatenate([np.ones((*x.shape[:-1], 1)), x], axis=-1)


@pytest.mark.parametrize("shapes", SHAPES)
def test_tensor_fusion(shapes):
    layer = layers.TensorFusion(2)
    weights, (x, y) = prepare(layer, shapes)
    product = np.einsum("...i,...j->...ij", with_one(x), with_one(y))
    product = product.reshape(*x.shape[:-1], 30)
    expected = product @ weights["kernel"] + weights["bias"]
    assert_computes(layer, [x, y], expected)
    assert_computes(layers.TensorFusion(), [x, y], product)


def test_tensor_fusion_of_three():
    layer = layers.TensorFusion(2)
    weights, (x, y, z) = prepare(layer, [(6, 2), (6, 3), (6, 4)])
    product = np.einsum("bi,bj,bk->bijk", *map(with_one, (x, y, z)))
    expected = product.reshape(6, 60) @ weights["kernel"] + weights["bias"]
    assert_computes(layer, [x, y, z], expected)


def test_tensor_fusion_is_a_full_interaction():
    fusion = layers.TensorFusion(2)
    weights, (x, y) = prepare(fusion, [(6, 3), (6, 4)])
    kernel = weights["kernel"].reshape(4, 5, 2)
    full = layers.MultiplicativeInteraction(2)
    full.build([(6, 4), (6, 3)])
    full.set_weights(
        [
            kernel[1:, 1:],
            kernel[0, 1:],
            kernel[1:, 0],
            kernel[0, 0] + weights["bias"],
        ]
    )
    inputs = [x.astype("float32"), y.astype("float32")]
    expected = ops.convert_to_numpy(fusion(inputs))
    assert_computes(full, [y, x], expected)


@pytest.mark.parametrize("shapes", SHAPES)
def test_low_rank(shapes):
    layer = layers.LowRankFusion(3, rank=2)
    weights, (x, y) = prepare(layer, shapes)
    expected = weights["bias"]
    for r in range(2):
        columns = slice(3 * r, 3 * r + 3)
        product = with_one(x) @ weights["factor_1"][:, columns]
        product = product * (with_one(y) @ weights["factor_2"][:, columns])
        expected = expected + weights["rank_kernel"][0, r] * product
    assert_computes(layer, [x, y], expected)


@pytest.mark.parametrize(
    "layer, count",
    [
        (layers.MLBFusion(3, 6), 4 * 6 + 6 + 5 * 6 + 6 + 6 * 3 + 3),
        (
            layers.MUTANFusion(3, 6, rank=2),
            4 * 6 + 6 + 5 * 6 + 6 + 2 * (6 * 12 + 12) + 6 * 3 + 3,
        ),
        (
            layers.MFBFusion(3, 6, factor=2),
            4 * 12 + 12 + 5 * 12 + 12 + 6 * 3 + 3,
        ),
        (
            layers.MFHFusion(3, 6, factor=2),
            2 * (4 * 12 + 12 + 5 * 12 + 12) + 12 * 3 + 3,
        ),
        (
            layers.TuckerFusion(3, 6),
            4 * 6 + 6 + 5 * 6 + 6 + 6**3 + 6 + 6 * 3 + 3,
        ),
        (
            layers.BLOCKFusion(3, 6, rank=2, chunks=2),
            4 * 6 + 6 + 5 * 6 + 6 + 2 * 2 * (3 * 6 + 6) + 6 * 3 + 3,
        ),
        (
            layers.BLOCKTuckerFusion(3, 6, chunks=2),
            4 * 6 + 6 + 5 * 6 + 6 + 2 * (27 + 3) + 6 * 3 + 3,
        ),
        (layers.MCBFusion(3, 6), 2 * (4 + 5) + 6 * 3 + 3),
        (layers.TensorFusion(3), 5 * 6 * 3 + 3),
        (layers.LowRankFusion(3, rank=2), (5 + 6) * 2 * 3 + 2 + 3),
    ],
)
def test_parameter_count(layer, count):
    layer.build([(None, 4), (None, 5)])
    assert layer.count_params() == count


def test_signed_sqrt_and_its_gradient():
    values = np.array([-4.0, -1e-30, 0.0, 1e-30, 9.0], "float32")
    found = ops.convert_to_numpy(signed_sqrt(ops.convert_to_tensor(values)))
    np.testing.assert_allclose(found, [-2, -1e-15, 0, 1e-15, 3], rtol=1e-6)
    (slope,) = gradients(lambda x: ops.sum(signed_sqrt(x)), [values])
    np.testing.assert_allclose(
        slope, [0.25, 0.5e15, 0.0, 0.5e15, 1 / 6], rtol=1e-5
    )


def test_l2_normalize_and_its_gradient():
    values = np.array([[3.0, -4.0], [0.0, 0.0], [1e-15, 0.0]], "float32")

    def normalize(x):
        return l2_normalize(x, "float32")

    found = ops.convert_to_numpy(normalize(ops.convert_to_tensor(values)))
    np.testing.assert_allclose(
        found, [[0.6, -0.8], [0, 0], [1e-3, 0]], rtol=1e-6
    )
    (slope,) = gradients(lambda x: ops.sum(normalize(x)[..., 0]), [values])
    assert np.isfinite(slope).all()
    np.testing.assert_allclose(slope[0], [1 / 5 - 9 / 125, 12 / 125], rtol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        layers.MFBFusion(3, 5, factor=2),
        layers.MFHFusion(3, 5, factor=2),
        layers.BLOCKFusion(3, 6, rank=2, chunks=2),
        layers.MCBFusion(3, 5),
    ],
)
def test_gradient_where_one_input_is_zero(layer):
    layer.build([(2, 4), (2, 5)])
    x = np.random.default_rng(0).normal(size=(2, 4)).astype("float32")
    by_input, by_weight = layer_gradients(
        layer, [x, np.zeros((2, 5), "float32")]
    )
    for gradient in by_input + by_weight:
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("fusion", TWO_INPUTS + MORE_INPUTS)
def test_bad_units(fusion):
    with pytest.raises(ValueError, match=r"`units`\. Expected a positive"):
        fusion(0)


@pytest.mark.parametrize(
    "fusion, arguments, message",
    [
        (layers.MLBFusion, {"hidden_units": None}, "hidden_units=None"),
        (layers.MUTANFusion, {"rank": 0}, r"`rank`\. Expected a positive"),
        (layers.MFBFusion, {"factor": 0}, r"`factor`\. Expected a positive"),
        (layers.MFHFusion, {"order": 0}, r"`order`\. Expected a positive"),
        (layers.BLOCKFusion, {"chunks": 0}, r"`chunks`\. Expected a positive"),
        (
            layers.BLOCKFusion,
            {"chunks": 5, "hidden_units": 8},
            r"enough for `chunks` chunks of 2, .* hidden_units=8, chunks=5",
        ),
        (layers.MCBFusion, {"dropout": 1.5}, r"`dropout`\. Expected a number"),
        (layers.MLBFusion, {"dropout": 1}, r"number in \[0, 1\)\."),
        (layers.MCBFusion, {"seed": 1.0}, r"`seed`\. Expected None or an int"),
        (layers.LowRankFusion, {"rank": "4"}, "Received: rank='4'"),
    ],
)
def test_bad_arguments(fusion, arguments, message):
    with pytest.raises(ValueError, match=message):
        fusion(3, **arguments)


@pytest.mark.parametrize("fusion", TWO_INPUTS)
def test_bad_shapes_of_two(fusion):
    layer = fusion(3)
    for shapes in ((2, 4), [(2, 4)], [(2, 4)] * 3):
        with pytest.raises(ValueError, match="list or tuple of 2 tensors"):
            layer.build(shapes)
    with pytest.raises(ValueError, match="same axes before the last one"):
        layer.build([(2, 4), (2, 3, 4)])


@pytest.mark.parametrize("fusion", MORE_INPUTS)
def test_bad_shapes_of_more(fusion):
    with pytest.raises(ValueError, match="tuple of at least 2 tensors"):
        fusion(3).build([(2, 4)])
    with pytest.raises(ValueError, match="same axes before the last one"):
        fusion(3).build([(2, 4), (3, 4)])
