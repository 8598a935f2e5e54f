import numpy as np
import pytest
from keras import ops
from support.reference import assert_computes
from support.reference import prepare
from support.reference import to_single

from kmul import layers


@pytest.mark.parametrize(
    "shapes",
    [
        [(6, 4), (6, 5)],
        [(6, 3, 4), (6, 5)],
        [(6, 3, 4), (6, 3, 5)],
        [(6, 3, 2, 4), (6, 5)],
    ],
)
def test_is_a_dense_layer_with_the_generated_weights(shapes):
    layer = layers.HyperDense(3, activation="tanh")
    weights, (x, z) = prepare(layer, shapes)
    kernel = (
        np.einsum("...m,mno->...no", z, weights["interaction_kernel"])
        + weights["input_kernel"]
    )
    bias = z @ weights["context_kernel_1"] + weights["bias"]
    found_kernel, found_bias = layer.generate(to_single(z))
    np.testing.assert_allclose(
        ops.convert_to_numpy(found_kernel), kernel, rtol=1e-5, atol=1e-5
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(found_bias), bias, rtol=1e-5, atol=1e-5
    )
    while bias.ndim < x.ndim:
        kernel, bias = kernel[:, None], bias[:, None]
    expected = np.tanh(np.einsum("...n,...no->...o", x, kernel) + bias)
    assert_computes(layer, [x, z], expected)


def test_is_the_full_interaction():
    shapes = [(6, 3, 4), (6, 5)]
    hyper = layers.HyperDense(3)
    full = layers.MultiplicativeInteraction(3)
    _, inputs = prepare(hyper, shapes)
    full.build(shapes)
    assert [w.path.split("/")[-1] for w in full.weights] == [
        w.path.split("/")[-1] for w in hyper.weights
    ]
    full.set_weights(hyper.get_weights())
    np.testing.assert_array_equal(
        ops.convert_to_numpy(full(to_single(inputs))),
        ops.convert_to_numpy(hyper(to_single(inputs))),
    )


def test_bad_arguments_and_shapes():
    with pytest.raises(ValueError, match="Received: units=-3"):
        layers.HyperDense(-3)
    layer = layers.HyperDense(3)
    with pytest.raises(ValueError, match="list or tuple of 2 tensors"):
        layer.build([(2, 4), (2, 5), (2, 5)])
