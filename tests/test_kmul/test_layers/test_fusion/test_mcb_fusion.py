import numpy as np
import pytest
from keras import ops
from support.reference import assert_computes
from support.reference import prepare
from support.reference import to_single

from kmul import layers

from .formulas import SHAPES
from .formulas import dense
from .formulas import normalized


def count_sketch(x, index, sign, size):
    sketch = np.zeros((*x.shape[:-1], size))
    for feature, k in enumerate(index.astype(int)):
        sketch[..., k] += sign[feature] * x[..., feature]
    return sketch


# JAX compiles each anew.
@pytest.mark.parametrize(
    "size", [7, pytest.param(8, marks=pytest.mark.backends("torch"))]
)
@pytest.mark.parametrize("shapes", SHAPES)
def test_mcb(shapes, size):
    layer = layers.MCBFusion(3, size, normalize=False)
    weights, (x, y) = prepare(layer, shapes)
    first, second = (
        count_sketch(
            each, weights[f"{name}_index"], weights[f"{name}_sign"], size
        )
        for name, each in (("first", x), ("second", y))
    )
    # The circular convolution, written out.
    product = np.stack(
        [
            sum(
                first[..., i] * second[..., (k - i) % size] for i in range(size)
            )
            for k in range(size)
        ],
        axis=-1,
    )
    assert_computes(layer, [x, y], dense(weights, "output", product))
    layer.normalize = True
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(to_single([x, y]))),
        dense(weights, "output", normalized(product)),
        # The root turns a rounding error of 1e-7 at 0 into one of 3e-4.
        atol=3e-3,
    )


def test_mcb_draws_its_sketches_by_its_seed():
    def sketches(seed):
        layer = layers.MCBFusion(3, 1000, seed=seed)
        layer.build([(2, 50), (2, 50)])
        weights = layer.get_weights()[-4:]
        for index, sign in (weights[:2], weights[2:]):
            assert index.min() >= 0 and index.max() < 1000
            assert set(sign) == {-1.0, 1.0}
        assert (weights[0] != weights[2]).any()
        assert (weights[1] != weights[3]).any()
        return weights

    for one, same in zip(sketches(4), sketches(4), strict=True):
        np.testing.assert_array_equal(one, same)
    assert (sketches(None)[0] != sketches(None)[0]).any()
    assert (sketches(4)[0] != sketches(5)[0]).any()
