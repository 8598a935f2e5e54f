import keras
import numpy as np
import pytest
from keras import ops
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers


@pytest.mark.parametrize("leading", [(6,), (6, 2), (6, 2, 3)])
@pytest.mark.parametrize("widths", [(4, 5), (4, 1, 3)])
def test_multiplies_projections(leading, widths):
    layer = layers.MultiplyUnit(3, hidden_units=5, activation="tanh")
    weights, inputs = prepare(layer, [(*leading, width) for width in widths])
    product = 1.0
    for i, x in enumerate(inputs, 1):
        kernel = weights[f"projection_{i}_kernel"]
        product = product * (x @ kernel + weights[f"projection_{i}_bias"])
    expected = np.tanh(product @ weights["kernel"] + weights["bias"])
    assert_computes(layer, inputs, expected)


def test_multiplies_unprojected():
    layer = layers.MultiplyUnit(3, hidden_units=None)
    weights, (x, y) = prepare(layer, [(6, 4), (6, 4)])
    assert set(weights) == {"kernel", "bias"}
    expected = (x * y) @ weights["kernel"] + weights["bias"]
    assert_computes(layer, [x, y], expected)


@pytest.mark.parametrize(
    "arguments, count",
    [
        ({}, (4 + 1) * 7 + (5 + 1) * 7 + (7 + 1) * 3),
        ({"use_bias": False}, 4 * 7 + 5 * 7 + 7 * 3),
    ],
)
def test_parameter_count(arguments, count):
    layer = layers.MultiplyUnit(3, hidden_units=7, **arguments)
    layer.build([(None, 4), (None, 5)])
    assert layer.count_params() == count


def test_takes_lists_and_tuples_alike():
    layer = layers.MultiplyUnit(3, hidden_units=5)
    x, y = np.ones((2, 4), "float32"), np.ones((2, 6), "float32")
    np.testing.assert_array_equal(
        ops.convert_to_numpy(layer([x, y])), ops.convert_to_numpy(layer((x, y)))
    )


def projections(**kwargs):
    layer = layers.MultiplyUnit(3, hidden_units=4, **kwargs)
    layer.build([(2, 4), (2, 4)])
    return [ops.convert_to_numpy(kernel) for kernel, _ in layer.projections]


def test_branches_start_apart():
    """Two equal projections of one input would be a square."""
    for initializer in (
        "glorot_uniform",
        keras.initializers.GlorotUniform(seed=3),
    ):
        first, second = projections(kernel_initializer=initializer)
        assert np.abs(first - second).max() > 0.1


def test_a_seed_fixes_the_start():
    seeded = [
        projections(kernel_initializer=keras.initializers.GlorotUniform(seed))
        for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(seeded[0], seeded[1])
    assert np.abs(seeded[0][0] - seeded[2][0]).max() > 0.1


def test_masks_of_all_inputs_are_merged():
    layer = layers.MultiplyUnit(3)
    masks = [np.array([[True, False]]), None, np.array([[True, True]])]
    found = layer.compute_mask([None] * 3, masks)
    np.testing.assert_array_equal(ops.convert_to_numpy(found), [[True, False]])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"units": 0}, "`units`. Expected a positive integer"),
        ({"hidden_units": 2.0}, "`hidden_units`. Expected a positive integer"),
        ({"use_bias": "false"}, "`use_bias`. Expected True or False"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.MultiplyUnit(**{"units": 3, **arguments})


@pytest.mark.parametrize(
    "shapes, message",
    [
        ((2, 4), "list or tuple of at least 2 tensors"),
        ([(2, 4)], "list or tuple of at least 2 tensors"),
        ([(2, 4), (3, 4)], "same axes before the last one"),
        ([(2, 4), (2, 3, 4)], "same axes before the last one"),
        ([(2, 4), (2, None)], "last axis .* should be defined"),
        ([(2, 4), (2, 5)], "With `hidden_units=None` all inputs .* one shape"),
    ],
)
def test_bad_shapes(shapes, message):
    with pytest.raises(ValueError, match=message):
        layers.MultiplyUnit(3, hidden_units=None).build(shapes)
