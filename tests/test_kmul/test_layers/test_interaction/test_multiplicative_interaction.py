import keras
import numpy as np
import pytest
from keras import ops
from support.reference import assert_computes
from support.reference import prepare

from kmul import _contractions
from kmul import layers


def linear_terms(weights, x, contexts):
    terms = weights["bias"] + x @ weights["input_kernel"]
    for i, context in enumerate(contexts, 1):
        terms = terms + context @ weights[f"context_kernel_{i}"]
    return terms


# The smallest intermediate tensor is (m, n), (n, out) and (m, out) in turn.
@pytest.mark.parametrize(
    "m, n, units", [(4, 3, 9), (9, 3, 2), (3, 9, 2), (5, 4, 1), (1, 1, 1)]
)
def test_full_in_every_order(m, n, units):
    layer = layers.MultiplicativeInteraction(units)
    weights, (x, z) = prepare(layer, [(6, n), (6, m)])
    expected = np.einsum(
        "bm,mno,bn->bo", z, weights["interaction_kernel"], x
    ) + linear_terms(weights, x, [z])
    assert_computes(layer, [x, z], expected)


def test_full_in_pieces(monkeypatch):
    monkeypatch.setattr(_contractions, "LARGEST_OUTER_PRODUCT", 7)
    layer = layers.MultiplicativeInteraction(9)
    weights, (x, z) = prepare(layer, [(6, 3), (6, 5)])
    expected = np.einsum(
        "bm,mno,bn->bo", z, weights["interaction_kernel"], x
    ) + linear_terms(weights, x, [z])
    assert_computes(layer, [x, z], expected)


@pytest.mark.parametrize("leading", [(6,), (6, 2), (6, 2, 3)])
@pytest.mark.parametrize("shared", [False, True])
def test_full_of_every_rank(leading, shared):
    layer = layers.MultiplicativeInteraction(2)
    context = (6, 5) if shared else (*leading, 5)
    weights, (x, z) = prepare(layer, [(*leading, 4), context])
    if shared:
        z = z.reshape(6, *(1,) * (len(leading) - 1), 5)
    expected = np.einsum(
        "...m,mno,...n->...o", z, weights["interaction_kernel"], x
    ) + linear_terms(weights, x, [z])
    given = z.reshape(context)
    assert_computes(layer, [x, given], expected)


def test_full_of_three_inputs():
    layer = layers.MultiplicativeInteraction(2, activation="tanh")
    shapes = [(6, 3, 4), (6, 3, 2), (6, 5)]
    weights, (x, z1, z2) = prepare(layer, shapes)
    assert weights["interaction_kernel"].shape == (2, 5, 4, 2)
    wide = z2[:, None]
    expected = np.tanh(
        np.einsum(
            "btk,bm,kmno,btn->bto", z1, z2, weights["interaction_kernel"], x
        )
        + linear_terms(weights, x, [z1, wide])
    )
    assert_computes(layer, [x, z1, z2], expected)


@pytest.mark.parametrize("leading", [(6,), (6, 2), (6, 2, 3)])
def test_low_rank(leading):
    layer = layers.MultiplicativeInteraction(2, form="low_rank", rank=3)
    weights, (x, z1, z2) = prepare(
        layer, [(*leading, 4), (*leading, 5), (*leading, 2)]
    )
    product = (
        (x @ weights["input_factor"])
        * (z1 @ weights["context_factor_1"])
        * (z2 @ weights["context_factor_2"])
    )
    expected = product @ weights["output_factor"]
    expected += linear_terms(weights, x, [z1, z2])
    assert_computes(layer, [x, z1, z2], expected)


def test_low_rank_is_a_full_interaction_of_that_rank():
    low = layers.MultiplicativeInteraction(2, form="low_rank", rank=3)
    weights, (x, z) = prepare(low, [(6, 4), (6, 5)])
    full = layers.MultiplicativeInteraction(2)
    full.build([(6, 4), (6, 5)])
    kernel = np.einsum(
        "mr,nr,ro->mno",
        weights["context_factor_1"],
        weights["input_factor"],
        weights["output_factor"],
    )
    names = ("input_kernel", "context_kernel_1", "bias")
    full.set_weights([kernel, *(weights[name] for name in names)])
    assert_computes(full, [x, z], ops.convert_to_numpy(low([x, z])))


PAIRS = [(0, 1), (0, 2), (1, 2)]


# A context of rank 2 is shared by the axes of the others.
@pytest.mark.parametrize(
    "shapes",
    [
        [(6, 4), (6, 3), (6, 5)],
        [(6, 2, 4), (6, 2, 3), (6, 5)],
        [(6, 2, 4), (6, 3), (6, 2, 5)],
        [(6, 2, 4), (6, 3), (6, 5)],
    ],
)
def test_all_pairs(shapes):
    layer = layers.MultiplicativeInteraction(2, interactions="pairs")
    weights, inputs = prepare(layer, shapes)
    wide = [x if x.ndim == inputs[0].ndim else x[:, None] for x in inputs]
    expected = linear_terms(weights, wide[0], wide[1:])
    for i, j in PAIRS:
        expected = expected + np.einsum(
            "...m,mno,...n->...o",
            wide[j],
            weights[f"interaction_kernel_{i}_{j}"],
            wide[i],
        )
    assert_computes(layer, inputs, expected)


@pytest.mark.parametrize("shared", [False, True])
def test_all_pairs_of_low_rank(shared):
    layer = layers.MultiplicativeInteraction(
        2, form="low_rank", rank=3, interactions="pairs"
    )
    middle = (6, 3) if shared else (6, 2, 3)
    weights, inputs = prepare(layer, [(6, 2, 4), middle, (6, 2, 5)])
    wide = [x if x.ndim == 3 else x[:, None] for x in inputs]
    expected = linear_terms(weights, wide[0], wide[1:])
    for i, j in PAIRS:
        product = (wide[i] @ weights[f"first_factor_{i}_{j}"]) * (
            wide[j] @ weights[f"second_factor_{i}_{j}"]
        )
        expected = expected + product @ weights[f"output_factor_{i}_{j}"]
    assert_computes(layer, inputs, expected)


@pytest.mark.parametrize("form, width", [("diagonal", 4), ("scalar", 1)])
@pytest.mark.parametrize("leading", [(6,), (6, 2), (6, 2, 3)])
def test_diagonal_and_scalar(form, width, leading):
    layer = layers.MultiplicativeInteraction(form=form)
    weights, (x, z1, z2) = prepare(
        layer, [(*leading, 4), (*leading, 5), (*leading, 2)]
    )
    assert weights["scale_kernel_1"].shape == (5, width)
    scale = z1 @ weights["scale_kernel_1"] + weights["scale_bias_1"]
    scale = scale * (z2 @ weights["scale_kernel_2"] + weights["scale_bias_2"])
    shift = z1 @ weights["context_kernel_1"] + z2 @ weights["context_kernel_2"]
    assert_computes(layer, [x, z1, z2], scale * x + shift + weights["bias"])


def test_no_bias():
    for form, rank in (("full", None), ("low_rank", 2), ("diagonal", None)):
        layer = layers.MultiplicativeInteraction(
            4, form=form, rank=rank, use_bias=False
        )
        layer.build([(2, 4), (2, 3)])
        assert not any(v.path.endswith("/bias") for v in layer.weights)
        zero = layer([np.zeros((2, 4)), np.zeros((2, 3))])
        np.testing.assert_array_equal(ops.convert_to_numpy(zero), 0.0)


@pytest.mark.parametrize(
    "arguments, count",
    [
        ({"units": 6}, 5 * 4 * 6 + 4 * 6 + 5 * 6 + 6),
        (
            {"units": 6, "form": "low_rank", "rank": 3},
            3 * (5 + 4 + 6) + 4 * 6 + 5 * 6 + 6,
        ),
        ({"units": 6, "interactions": "pairs"}, 20 * 6 + 4 * 6 + 5 * 6 + 6),
        ({"form": "diagonal"}, 5 * 4 + 4 + 5 * 4 + 4),
        ({"form": "scalar"}, 5 + 1 + 5 + 1),
    ],
)
def test_parameter_count(arguments, count):
    layer = layers.MultiplicativeInteraction(**arguments)
    layer.build([(None, 4), (None, 5)])
    assert layer.count_params() == count


def test_first_weights_keep_the_scale_of_their_inputs():
    layer = layers.MultiplicativeInteraction(64)
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 512, 64)).astype("float32")
    layer.build([x.shape, z.shape])
    product = layers.HyperDense(64)
    product.build([x.shape, z.shape])
    weights = layer.get_weights()
    product.set_weights([weights[0]] + [0.0 * each for each in weights[1:]])
    assert 0.9 < np.std(ops.convert_to_numpy(product([x, z]))) < 1.1


def test_kernels_differ_with_one_seed():
    layer = layers.MultiplicativeInteraction(
        4,
        form="low_rank",
        rank=4,
        kernel_initializer=keras.initializers.GlorotUniform(seed=3),
    )
    layer.build([(2, 4), (2, 4)])
    kernels = [w for w in layer.get_weights() if w.ndim == 2]
    for i, one in enumerate(kernels):
        for other in kernels[:i]:
            assert np.abs(one - other).max() > 0.1


def test_masks_of_all_inputs_are_merged():
    layer = layers.MultiplicativeInteraction(2)
    first = np.array([[True, False, True]])
    second = np.array([[True, True, False]])
    x, z = np.ones((1, 3, 4), "float32"), np.ones((1, 3, 5), "float32")
    found = layer.compute_mask([x, z], [first, second])
    np.testing.assert_array_equal(
        ops.convert_to_numpy(found), [[True, False, False]]
    )
    shared = layer.compute_mask([x, z[:, 0]], [first, np.array([False])])
    assert not ops.convert_to_numpy(shared).any()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({}, "`units`. Expected a positive integer. Received: units=None"),
        ({"units": 0}, "`units`. Expected a positive integer"),
        ({"units": 2.5}, "Received: units=2.5"),
        (
            {"units": 2, "form": "bilinear"},
            r"`form`. Expected one of \('full', 'low_rank', 'diagonal', "
            r"'scalar'\). Received: form='bilinear'",
        ),
        (
            {"units": 2, "form": "low_rank"},
            "`rank`. Expected a positive integer. Received: rank=None",
        ),
        (
            {"units": 2, "rank": 3},
            "`rank`. Expected None, since only `form='low_rank'` has a rank. "
            "Received: form='full', rank=3",
        ),
        (
            {"form": "scalar", "interactions": "pairs"},
            "`interactions`. Expected 'joint', since only the forms 'full' "
            "and 'low_rank' have pairs. Received: form='scalar'",
        ),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.MultiplicativeInteraction(**arguments)


@pytest.mark.parametrize(
    "shapes, message",
    [
        ((2, 4), "should be called on a list or tuple of at least 2 tensors"),
        ([(2, 4)], "should be called on a list or tuple of at least 2 tensors"),
        ([(2, 4), (2,)], "rank 2 or more"),
        ([(2, 4), (2, None)], "last axis .* should be defined"),
        ([(2, 4), (3, 4)], "same axes before the last one"),
        ([(2, 3, 4), (2, 5, 4)], "same axes before the last one"),
        ([(2, 4), (2, 3, 4)], "Every input .* after the first should have"),
    ],
)
def test_bad_shapes(shapes, message):
    layer = layers.MultiplicativeInteraction(2)
    with pytest.raises(ValueError, match=message):
        layer.build(shapes)
    with pytest.raises(ValueError, match=message):
        layer.compute_output_shape(shapes)


def test_diagonal_keeps_the_width():
    layer = layers.MultiplicativeInteraction(3, form="diagonal")
    with pytest.raises(
        ValueError,
        match=r"to be None or 4\. Received: units=3",
    ):
        layer.build([(2, 4), (2, 5)])
