import keras
import numpy as np
import pytest
from keras import ops
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers


# A batch of as many samples as features is where axes could be mistaken.
@pytest.mark.parametrize("shape", [(6, 4), (4, 4), (6, 2, 4), (6, 2, 3, 4)])
def test_adds_its_input_after_the_activation(shape):
    layer = layers.ResidualDense(4, activation="relu")
    weights, x = prepare(layer, shape)
    dense = np.maximum(x @ weights["kernel"] + weights["bias"], 0)
    assert_computes(layer, x, dense + x)


def test_adds_nothing_where_the_widths_differ():
    layer = layers.ResidualDense(3, activation="relu")
    weights, x = prepare(layer, (3, 4))
    dense = np.maximum(x @ weights["kernel"] + weights["bias"], 0)
    assert_computes(layer, x, dense)


@pytest.mark.parametrize("units", [3, 4])
def test_weights_are_those_of_a_dense_layer(units):
    initializer = keras.initializers.GlorotUniform(seed=5)
    found, dense = (
        kind(units, kernel_initializer=initializer)
        for kind in (layers.ResidualDense, keras.layers.Dense)
    )
    for layer in (found, dense):
        layer.build((None, 4))
    for one, other in zip(
        found.get_weights(), dense.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_passes_the_mask_on():
    mask = ops.convert_to_tensor([[True, False]])
    assert layers.ResidualDense(4).compute_mask(None, mask) is mask


def test_bad_arguments_and_shapes():
    with pytest.raises(ValueError, match="units"):
        layers.ResidualDense(0)
    for shape, message in (
        ((4,), "rank 2 or more"),
        ((2, None), "last axis .* should be defined"),
        ([(2, 4)], "should be called on a single tensor"),
    ):
        with pytest.raises(ValueError, match=message):
            layers.ResidualDense(4).build(shape)
