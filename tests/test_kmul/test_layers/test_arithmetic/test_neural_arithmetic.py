import keras
import numpy as np
import pytest
from keras import ops
from support.gradients import gradients
from support.gradients import layer_gradients
from support.reference import assert_computes
from support.reference import prepare
from support.reference import sigmoid

from kmul import layers
from kmul.constraints import Interval
from kmul.metrics import sparsity_error
from kmul.regularizers import Discreteness

UNITS = (
    layers.NAC,
    layers.NALU,
    layers.INALU,
    layers.NAU,
    layers.NMU,
    layers.RealNPU,
    layers.NPU,
)
SHAPES = [(6, 4), (6, 3, 4), (6, 3, 2, 4)]


def saturated(weights, prefix=""):
    return np.tanh(weights[f"{prefix}tanh_kernel"]) * sigmoid(
        weights[f"{prefix}sigmoid_kernel"]
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_nac(shape):
    layer = layers.NAC(3)
    weights, x = prepare(layer, shape)
    assert_computes(layer, x, x @ saturated(weights))


@pytest.mark.parametrize("shape", SHAPES)
def test_nalu(shape):
    layer = layers.NALU(3)
    weights, x = prepare(layer, shape)
    kernel = saturated(weights)
    gate = sigmoid(x @ weights["gate_kernel"])
    product = np.exp(np.log(np.abs(x) + 1e-7) @ kernel)
    assert_computes(layer, x, gate * (x @ kernel) + (1 - gate) * product)


@pytest.mark.parametrize("shape", SHAPES)
def test_inalu(shape):
    layer = layers.INALU(3)
    weights, x = prepare(layer, shape)
    x[:2] = np.array([0.0, -1.0, 1e-9, 2.0])
    kernel = saturated(weights, "multiply_")
    product = np.exp(
        np.minimum(np.log(np.maximum(np.abs(x), 1e-7)) @ kernel, 20)
    )
    sign = np.prod(
        np.sign(x)[..., None] * np.abs(kernel) + 1 - np.abs(kernel), axis=-2
    )
    gate = sigmoid(weights["gate"])
    total = x @ saturated(weights, "add_")
    assert_computes(layer, x, gate * total + (1 - gate) * sign * product)


@pytest.mark.parametrize("shape", SHAPES)
def test_nau(shape):
    layer = layers.NAU(3)
    weights, x = prepare(layer, shape)
    assert_computes(layer, x, x @ weights["kernel"])


@pytest.mark.parametrize("width", [1, 2, 3, 4, 7, 8])
def test_nmu_of_every_width(width):
    layer = layers.NMU(3)
    weights, x = prepare(layer, (6, width))
    kernel = weights["kernel"]
    factors = kernel * x[..., None] + 1 - kernel
    assert_computes(layer, x, np.prod(factors, axis=-2))


@pytest.mark.parametrize("shape", SHAPES)
def test_nmu_of_every_rank(shape):
    layer = layers.NMU(3)
    weights, x = prepare(layer, shape)
    factors = weights["kernel"] * x[..., None] + 1 - weights["kernel"]
    assert_computes(layer, x, np.prod(factors, axis=-2))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("unit", [layers.RealNPU, layers.NPU])
def test_power_units(unit, shape):
    layer = unit(3)
    weights, x = prepare(layer, shape)
    layer.gate.assign(np.array([0.0, 0.3, 0.8, 1.0]))
    gate = np.array([0.0, 0.3, 0.8, 1.0])
    r = gate * (np.abs(x) + 1e-7) + 1 - gate
    k = gate * np.pi * (x < 0)
    if unit is layers.RealNPU:
        kernel = weights["kernel"]
        expected = np.exp(np.log(r) @ kernel) * np.cos(k @ kernel)
    else:
        real, imaginary = weights["real_kernel"], weights["imaginary_kernel"]
        expected = np.exp(np.log(r) @ real - k @ imaginary) * np.cos(
            k @ real + np.log(r) @ imaginary
        )
    assert_computes(layer, x, expected)


@pytest.mark.parametrize(
    "unit, count",
    [
        (layers.NAC, 2 * 12),
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


def test_nmu_keeps_small_factors():
    layer = layers.NMU(1)
    layer.build((1, 2))
    layer.set_weights([np.ones((2, 1))])
    x = np.array([[1e-12, 3.0]], "float32")
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(x)), [[3e-12]], rtol=1e-6
    )


@pytest.mark.parametrize(
    "x, by_input",
    [
        # y = x₁x₂x₃ and the gradient of y² is 2y times the other factors.
        ([2.0, 3.0, 4.0], [2 * 24 * 12, 2 * 24 * 8, 2 * 24 * 6]),
        ([0.0, 3.0, 4.0], [0, 0, 0]),
        ([0.0, 0.0, 4.0], [0, 0, 0]),
    ],
)
def test_nmu_gradient_at_zeros(x, by_input):
    layer = layers.NMU(1)
    layer.build((1, 3))
    layer.set_weights([np.ones((3, 1))])
    (found,), _ = layer_gradients(layer, np.array([x], "float32"))
    np.testing.assert_allclose(found, [by_input], rtol=1e-6)


def test_nmu_gradient_where_one_factor_is_zero():
    """The zero's own derivative is the product of the others, not 0/0."""
    layer = layers.NMU(2)
    layer.build((1, 3))
    # The second output is 1 + Π, so that its square has a slope.
    layer.set_weights([np.array([[1.0, 0.5], [1.0, 0.0], [1.0, 0.0]])])
    x = np.array([[0.0, 3.0, 4.0]], "float32")
    (by_input,), (by_weight,) = layer_gradients(layer, x)
    np.testing.assert_allclose(by_input, [[0.5, 0.0, 0.0]], atol=1e-6)
    np.testing.assert_allclose(
        by_weight, [[0, -1.0], [0, 0.5 * 2], [0, 0.5 * 3]], atol=1e-6
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


def test_regularizer_warms_up_over_training_steps():
    layer = layers.NAU(
        1,
        kernel_initializer=keras.initializers.Constant(0.25),
        kernel_regularizer=Discreteness(8.0),
        regularizer_warmup=(2, 6),
    )
    model = keras.Sequential([layer])
    model.compile(keras.optimizers.SGD(0.0), loss=None)

    class Losses(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.found = [*getattr(self, "found", []), logs["loss"]]

    losses = Losses()
    x = np.ones((8, 4), "float32")
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.fit(x, np.ones((8, 1)), epochs=1, batch_size=1, verbose=0)
    assert int(ops.convert_to_numpy(layer.step)) == 8
    layer.step.assign(0)
    for expected in (0.0, 0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.0):
        model.fit(x, np.ones((8, 1)), verbose=0, callbacks=[losses])
        np.testing.assert_allclose(losses.found[-1], expected, atol=1e-6)
    # Evaluation has the strength that was reached, and counts no steps.
    layer.step.assign(4)
    for _ in range(2):
        found = model.evaluate(x, np.ones((8, 1)), verbose=0)
        np.testing.assert_allclose(found, 1.0, atol=1e-6)


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


def test_a_shared_regularized_unit_counts_steps():
    """Its penalty and its step count once, however often it is called."""
    layer = layers.NAU(
        4,
        kernel_initializer=keras.initializers.Constant(0.25),
        kernel_regularizer=Discreteness(8.0),
        regularizer_warmup=(2, 6),
    )
    inputs = keras.Input((4,))
    model = keras.Model(inputs, 0 * layer(layer(inputs)))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.zeros((8, 4), "float32")
    model.fit(x, x, batch_size=2, verbose=0)
    assert int(ops.convert_to_numpy(layer.step)) == 4
    # Half of the full strength, 8 times the distance of 0.25.
    for _ in range(2):
        assert model.evaluate(x, x, verbose=0) == pytest.approx(1.0)
    assert int(ops.convert_to_numpy(layer.step)) == 4


@pytest.mark.parametrize("unit", UNITS)
def test_integer_inputs(unit):
    layer = unit(2)
    x = np.array([[1, -2, 0]])
    np.testing.assert_array_equal(
        ops.convert_to_numpy(layer(x)),
        ops.convert_to_numpy(layer(x.astype("float32"))),
    )


@pytest.mark.parametrize("unit", [layers.NALU, layers.RealNPU, layers.NPU])
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


def test_discreteness_has_no_slope_at_its_values():
    weights = np.array([-1.0, 0.0, 1.0, -0.5, 0.5, 0.25, 0.75], "float32")
    for values, expected in (
        ((-1, 0, 1), [0, 0, 0, 0, 0, 1, -1]),
        ((0, 1), [-1, 0, 0, -1, 0, 1, -1]),
    ):
        (found,) = gradients(Discreteness(7.0, values), [weights])
        np.testing.assert_allclose(found, expected)


def test_training_that_ends_with_exact_weights():
    """With a regularizer and clipping, by plain SGD: y = x_1 x_2."""
    layer = layers.NMU(
        1,
        kernel_initializer=keras.initializers.Constant(0.4),
        kernel_regularizer=Discreteness(0.3, values=(0, 1)),
    )
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    x = np.random.default_rng(0).uniform(1, 2, (512, 3)).astype("float32")
    y = x[:, :1] * x[:, 1:2]
    model.fit(x, y, batch_size=32, epochs=10, shuffle=False, verbose=0)
    np.testing.assert_array_equal(layer.get_weights()[0], [[1], [1], [0]])


@pytest.mark.parametrize("unit", [layers.RealNPU, layers.NPU])
def test_a_gate_outside_its_interval(unit):
    layer = unit(2)
    layer.build((1, 3))
    x = np.array([[3.0, -5.0, 7.0]], "float32")
    outputs = []
    for gate in ([-2.0, 3.0, 0.5], [0.0, 1.0, 0.5]):
        layer.gate.assign(np.array(gate))
        outputs.append(ops.convert_to_numpy(layer(x)))
    np.testing.assert_array_equal(*outputs)


def test_inalu_starts_as_published():
    layer = layers.INALU(200)
    layer.build((None, 100))
    tanh, sigmoid, other_tanh, _, gate = layer.get_weights()
    for weight, mean in ((tanh, 0.88), (sigmoid, 0.5), (gate, 0.0)):
        assert weight.mean() == pytest.approx(mean, abs=0.05)
        assert weight.std() == pytest.approx(0.2, abs=0.03)
    assert np.abs(tanh - other_tanh).max() > 0.1


def test_inalu_takes_an_older_config():
    layer = layers.INALU.from_config(
        {"units": 2, "kernel_initializer": "zeros"}
    )
    layer.build((None, 3))
    assert not np.any(layer.get_weights()[0])


def test_discreteness_and_sparsity_error():
    signed = np.array([[-1.0, -0.7, 0.2], [0.5, 0.9, 0.0]], "float32")
    distances = np.minimum(np.abs(signed), 1 - np.abs(signed))
    np.testing.assert_allclose(
        float(Discreteness(2.0)(ops.convert_to_tensor(signed))),
        2 * distances.mean(),
        rtol=1e-6,
    )
    positive = np.abs(signed)
    np.testing.assert_allclose(
        float(
            Discreteness(2.0, values=(0, 1))(ops.convert_to_tensor(positive))
        ),
        2 * np.minimum(positive, np.abs(1 - positive)).mean(),
        rtol=1e-6,
    )
    assert sparsity_error(signed) == pytest.approx(0.5)
    assert sparsity_error(signed, values=(0, 1)) == pytest.approx(1.0)
    assert sparsity_error(np.array([0.0, 1.0, -1.0])) == 0.0


def test_constraint_and_regularizer_round_trip():
    for each in (Interval(-1.0, 1.0), Discreteness(0.5, (0.0, 1.0))):
        revived = keras.saving.deserialize_keras_object(
            keras.saving.serialize_keras_object(each)
        )
        assert type(revived) is type(each)
        assert revived.get_config() == each.get_config()


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


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Interval(1.0, 1.0), "`minimum` should be below `maximum`"),
        (lambda: Interval(None, 1.0), "should be numbers. Received: minimum="),
        (lambda: Discreteness(0.0), r"`strength`\. Expected a finite number"),
        (lambda: Discreteness(1.0, ()), r"`values`\. Expected a list or tuple"),
        (lambda: sparsity_error(1.0, (None,)), r"Received: values=\(None,\)"),
    ],
)
def test_bad_constraints_and_regularizers(make, message):
    with pytest.raises(ValueError, match=message):
        make()
