import keras
import numpy as np
import pytest
from keras import ops
from support.gradients import layer_gradients
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers

UNITS = (
    layers.NAC,
    layers.MNAC,
    layers.NALU,
    layers.INALU,
    layers.NAU,
    layers.NMU,
    layers.RealNPU,
    layers.NPU,
)
SHAPES = [(6, 4), (6, 3, 4), (6, 3, 2, 4)]


@pytest.mark.parametrize("shape", SHAPES)
def test_nau(shape):
    layer = layers.NAU(3)
    weights, x = prepare(layer, shape)
    assert_computes(layer, x, x @ weights["kernel"])


@pytest.mark.parametrize(
    "unit, count",
    [
        (layers.NAC, 2 * 12),
        (layers.MNAC, 2 * 12),
        (layers.NALU, 3 * 12),
        (layers.INALU, 4 * 12 + 3),
        (layers.NAU, 12),
        (layers.NMU, 12),
        (layers.RealNPU, 12 + 4),
        (layers.NPU, 2 * 12 + 4),
    ],
)
def test_parameter_count(unit, count):
    layer = unit(3)
    layer.build((None, 4))
    assert layer.count_params() == count
    for kernel in layer.effective_kernels():
        assert tuple(kernel.shape) == (4, 3)


def test_exact_solutions():
    x = np.array([[3.0, -5.0, 7.0]], "float32")
    choice = np.array([[1.0], [1.0], [0.0]])
    for unit, weights, expected in (
        (layers.NAU, [choice * [[1], [-1], [0]]], 8.0),
        (layers.NMU, [choice], -15.0),
        (layers.RealNPU, [choice * [[1], [-1], [0]], np.ones(3)], -0.6),
    ):
        layer = unit(1)
        layer.build((1, 3))
        layer.set_weights(weights)
        np.testing.assert_allclose(
            ops.convert_to_numpy(layer(x)), [[expected]], rtol=1e-5
        )


@pytest.mark.parametrize("unit", UNITS)
def test_overflow_never_gives_nan(unit):
    layer = unit(2)
    layer.build((2, 8))
    outputs = ops.convert_to_numpy(layer(np.full((2, 8), 1e10, "float32")))
    assert not np.isnan(outputs).any()
    # A product of eight such inputs is beyond float32; all others are cut.
    assert np.isfinite(outputs).all() or unit is layers.NMU


def test_default_initial_weights():
    nau, wide, nmu = layers.NAU(3), layers.NAU(300), layers.NMU(300)
    nau.build((None, 4))
    wide.build((None, 100))
    nmu.build((None, 100))
    assert np.abs(nau.get_weights()[0]).max() <= 0.5
    bound = np.sqrt(6 / 400)
    assert 0.99 * bound < np.abs(wide.get_weights()[0]).max() <= bound
    kernel = nmu.get_weights()[0]
    assert 0.25 <= kernel.min() < 0.26 and 0.74 < kernel.max() <= 0.75


@pytest.mark.parametrize(
    "unit, low, high",
    [(layers.NAU, -1, 1), (layers.NMU, 0, 1), (layers.RealNPU, 0, 1)],
)
def test_constraints_hold_after_training(unit, low, high):
    layer = unit(3)
    model = keras.Sequential([layer])
    model.compile(keras.optimizers.SGD(2.0, clipnorm=1.0), "mse")
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    model.fit(x, 5 * x[:, :3], epochs=3, verbose=0)
    weight = layer.gate if unit is layers.RealNPU else layer.kernel
    values = ops.convert_to_numpy(weight)
    assert values.min() >= low and values.max() <= high
    assert (values == low).any() or (values == high).any()


@pytest.mark.parametrize("unit", UNITS)
def test_regularizer_sees_the_effective_kernels(unit):
    layer = unit(3, kernel_regularizer="l1")
    prepare(layer, (2, 4))
    layer(np.ones((2, 4), "float32"))
    expected = [
        0.01 * np.abs(ops.convert_to_numpy(kernel)).sum()
        for kernel in layer.effective_kernels()
    ]
    (found,) = layer.losses
    np.testing.assert_allclose(
        float(ops.convert_to_numpy(found)), sum(expected), rtol=1e-5
    )


@pytest.mark.parametrize("unit", UNITS)
def test_integer_inputs(unit):
    layer = unit(2)
    x = np.array([[1, -2, 0]])
    np.testing.assert_array_equal(
        ops.convert_to_numpy(layer(x)),
        ops.convert_to_numpy(layer(x.astype("float32"))),
    )


@pytest.mark.parametrize(
    "unit", [layers.MNAC, layers.NALU, layers.RealNPU, layers.NPU]
)
def test_no_slope_at_zero(unit):
    """Where |x| has none, whose logarithm would be as steep as 1e7."""
    layer = unit(1)
    layer.build((1, 2))
    # A quotient of zeros that is 1; the kernels after the first are zero.
    _, *others = layer.get_weights()
    layer.set_weights(
        [
            np.array([[0.5], [-0.5]]),
            *(np.full(w.shape, 2 - w.ndim) for w in others),
        ]
    )
    (found,), _ = layer_gradients(layer, np.zeros((1, 2), "float32"))
    assert np.abs(found).max() < 1


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"units": 0}, r"`units`\. Expected a positive integer"),
        (
            {"units": 2, "regularizer_warmup": (5, 5)},
            r"`regularizer_warmup`\. Expected None or two integers \(start, "
            r"stop\) with 0 <= start < stop\. Received: "
            r"regularizer_warmup=\(5, 5\)",
        ),
        ({"units": 2, "regularizer_warmup": 7}, "regularizer_warmup=7"),
        ({"units": 2, "regularizer_warmup": (0, 0.5)}, r"\(0, 0\.5\)"),
    ],
)
def test_bad_arguments(unit, arguments, message):
    with pytest.raises(ValueError, match=message):
        unit(**arguments)


@pytest.mark.parametrize("unit", UNITS)
def test_bad_shapes(unit):
    layer = unit(2)
    with pytest.raises(
        ValueError, match=f"`{unit.__name__}` should be called on a single"
    ):
        layer.build([(2, 4), (2, 4)])
    with pytest.raises(ValueError, match="rank 2 or more"):
        layer.compute_output_shape((4,))
