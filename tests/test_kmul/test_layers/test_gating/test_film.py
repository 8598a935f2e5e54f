import numpy as np
import pytest
from keras import ops
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize(
    "shapes",
    [
        [(6, 4), (6, 5)],
        [(6, 3, 4), (6, 5)],
        [(6, 3, 4), (6, 3, 5)],
        [(6, 3, 2, 4), (6, 5)],
    ],
)
def test_scales_and_shifts(shapes, residual):
    layer = layers.FiLM(residual=residual)
    weights, (x, z) = prepare(layer, shapes)
    gamma = z @ weights["kernel"][:, :4] + weights["bias"][:4]
    beta = z @ weights["kernel"][:, 4:] + weights["bias"][4:]
    while gamma.ndim < x.ndim:
        gamma, beta = gamma[:, None], beta[:, None]
    if residual:
        gamma = 1 + gamma
    assert_computes(layer, [x, z], gamma * x + beta)


def test_units_projects_first():
    layer = layers.FiLM(3)
    weights, (x, z) = prepare(layer, [(6, 4), (6, 5)])
    assert layer.count_params() == 4 * 3 + 5 * 6 + 6
    modulation = z @ weights["kernel"] + weights["bias"]
    expected = (1 + modulation[:, :3]) * (x @ weights["input_kernel"])
    assert_computes(layer, [x, z], expected + modulation[:, 3:])


def test_zero_kernel_is_the_identity():
    layer = layers.FiLM(kernel_initializer="zeros")
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    found = layer([x, np.ones((2, 5), "float32")])
    np.testing.assert_array_equal(ops.convert_to_numpy(found), x)


def test_bad_arguments_and_shapes():
    with pytest.raises(ValueError, match="Received: units='many'"):
        layers.FiLM("many")
    with pytest.raises(ValueError, match="list or tuple of 2 tensors"):
        layers.FiLM().build((2, 4))
    with pytest.raises(ValueError, match="after the first should have"):
        layers.FiLM().build([(2, 4), (2, 3, 4)])
