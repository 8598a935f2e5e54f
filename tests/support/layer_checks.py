"""Checks that every layer must pass."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from support.gradients import call
from support.gradients import compile_on_jax
from support.gradients import double_precision
from support.gradients import layer_gradients
from support.gradients import layer_loss


def random_inputs(shapes, seed=0):
    """Returns an array for one shape, a list of arrays for a list of them."""
    rng = np.random.default_rng(seed)
    if isinstance(shapes, list):
        return [rng.normal(size=s).astype("float32") for s in shapes]
    return rng.normal(size=shapes).astype("float32")


def symbolic_inputs(shapes):
    if isinstance(shapes, list):
        return [keras.Input(batch_shape=(None, *s[1:])) for s in shapes]
    return keras.Input(batch_shape=(None, *shapes[1:]))


def weight_shapes(layer):
    return [(v.path.split("/")[-1], tuple(v.shape)) for v in layer.weights]


def check_config(make):
    layer = make()
    config = layer.get_config()
    json.dumps(keras.saving.serialize_keras_object(layer))
    copy = type(layer).from_config(config)
    assert copy.get_config() == config
    revived = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    assert type(revived) is type(layer)
    # NumPy's integers are as good as Python's, and are kept as those.
    config = {
        name: np.int64(value) if type(value) is int else value
        for name, value in config.items()
    }
    json.dumps(type(layer).from_config(config).get_config())


def check_build_and_shapes(make, shapes):
    """Building by shape, by call and symbolically all give one layer."""
    by_shape, by_call, by_symbol = make(), make(), make()
    by_shape.build(shapes)
    outputs = by_call(random_inputs(shapes))
    symbol = by_symbol(symbolic_inputs(shapes))
    assert weight_shapes(by_shape) == weight_shapes(by_call)
    assert weight_shapes(by_shape) == weight_shapes(by_symbol)
    assert tuple(by_shape.compute_output_shape(shapes)) == tuple(outputs.shape)
    assert tuple(symbol.shape[1:]) == tuple(outputs.shape[1:])
    assert np.isfinite(ops.convert_to_numpy(outputs)).all()


def check_refuses_other_inputs(make, shapes):
    """A built layer says which inputs it can't take, also symbolically."""
    layer = make()
    layer.build(shapes)
    for wrong in other_shapes(layer, shapes):
        with pytest.raises(ValueError, match=REFUSAL):
            layer(zeros(wrong))
        with pytest.raises(ValueError, match=REFUSAL):
            layer(symbols(wrong))


REFUSAL = (
    "incompatible with the layer|it received . input tensors"
    "|should be called on|should have|should be of rank"
)


def other_shapes(layer, shapes):
    """Yields shapes close to the ones a layer was built on, all wrong."""
    if not isinstance(shapes, list):
        yield [shapes]
        yield [shapes, shapes]
        yield shapes[:1]
        # A layer without weights takes any width.
        if layer.weights:
            yield other_width(layer.input_spec, shapes)
        return
    first, second, *others = shapes
    yield first
    yield [first]
    yield [*shapes, second]
    yield [other_width(layer.input_spec[0], first), second, *others]
    yield [first, (second[0], 1, *second[1:]), *others]
    yield [first, (1, *second[1:]), *others]


def other_width(spec, shape):
    axis = max(spec.axes)
    return tuple(
        size + (i == axis % len(shape)) for i, size in enumerate(shape)
    )


def zeros(shapes):
    if isinstance(shapes, list):
        return [np.zeros(shape, "float32") for shape in shapes]
    return np.zeros(shapes, "float32")


def symbols(shapes):
    if isinstance(shapes, list):
        return [keras.Input(batch_shape=shape) for shape in shapes]
    return keras.Input(batch_shape=shapes)


def check_integer_inputs(make, shapes):
    """Integers count as the numbers they are, on every backend."""
    layer = make()
    integers = random_integers(shapes)
    several = isinstance(shapes, list)
    floats = (
        [x.astype("float32") for x in integers]
        if several
        else integers.astype("float32")
    )
    found, expected = call(layer, integers), call(layer, floats)
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), rtol=1e-6)


def random_integers(shapes):
    rng = np.random.default_rng(0)
    if isinstance(shapes, list):
        return [rng.integers(0, 3, shape, "int32") for shape in shapes]
    return rng.integers(0, 3, shapes, "int32")


def check_mixed_precision(make, shapes):
    for dtype in ("float16", "bfloat16"):
        layer = make(dtype=f"mixed_{dtype}")
        outputs = call(layer, random_inputs(shapes))
        assert keras.backend.standardize_dtype(outputs.dtype) == dtype
        assert np.isfinite(
            ops.convert_to_numpy(ops.cast(outputs, "float32"))
        ).all()
        for variable in layer.trainable_variables:
            assert variable.dtype == "float32"


def check_training(make, shapes):
    """One jitted step through `fit` changes every trainable weight."""
    inputs = symbolic_inputs(shapes)
    model = keras.Model(inputs, make()(inputs))
    if not model.trainable_variables:
        return
    model.compile("adam", "mse")
    x = random_inputs(shapes)
    y = np.ones(model.predict_on_batch(x).shape, "float32")
    before = [np.array(v) for v in model.get_weights()]
    history = model.fit(x, y, batch_size=y.shape[0], verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    trainable = {v.path for v in model.trainable_variables}
    for variable, old in zip(model.weights, before, strict=True):
        assert np.isfinite(ops.convert_to_numpy(variable)).all()
        if variable.path in trainable:
            assert not np.array_equal(old, ops.convert_to_numpy(variable)), (
                f"{variable.path} did not change"
            )


def check_saving(make, shapes, directory):
    inputs = symbolic_inputs(shapes)
    model = keras.Model(inputs, make()(inputs))
    x = random_inputs(shapes)
    path = directory / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    np.testing.assert_allclose(
        loaded.predict_on_batch(x), model.predict_on_batch(x), rtol=1e-6
    )


def check_gradients(make, shapes):
    """Gradients are finite at ordinary, zero and large inputs."""
    layer = make()
    layer.build(shapes)
    inputs = random_inputs(shapes)
    loss = layer_loss(layer, isinstance(shapes, list))
    for scale in (1.0, 0.0, 1e3):
        scaled = (
            [x * np.float32(scale) for x in inputs]
            if isinstance(inputs, list)
            else inputs * np.float32(scale)
        )
        by_input, by_weight = layer_gradients(layer, scaled, loss=loss)
        for gradient in by_input + by_weight:
            assert np.isfinite(gradient).all(), f"inputs scaled by {scale}"


def check_numerical_gradients(make, shapes):
    """Gradients agree with finite differences along random directions.

    All in float64, so that the differences are exact to about 1e-9.
    """
    with double_precision():
        _check_numerical_gradients(make, shapes)


def _check_numerical_gradients(make, shapes, step=1e-6, tolerance=1e-6):
    layer = make(dtype="float64")
    layer.build(shapes)
    inputs = random_inputs(shapes)
    several = isinstance(shapes, list)
    inputs = [x.astype("float64") for x in (inputs if several else [inputs])]
    weights = [
        np.array(ops.convert_to_numpy(v)) for v in layer.trainable_variables
    ]
    compiled = compile_on_jax(layer_loss(layer, several))

    def loss(point):
        # As arrays: Keras takes NumPy's float64 scalars for Python's floats.
        tensors = [ops.convert_to_tensor(np.asarray(each)) for each in point]
        return float(to_numpy(compiled(*tensors)))

    by_input, by_weight = layer_gradients(
        layer, inputs if several else inputs[0], weights
    )
    point, gradient = inputs + weights, by_input + by_weight
    assert {each.dtype for each in gradient} == {np.dtype("float64")}
    rng = np.random.default_rng(1)
    for moved, tensor in enumerate(point):
        direction = rng.normal(size=tensor.shape)
        direction /= np.linalg.norm(direction)
        ahead, behind = list(point), list(point)
        ahead[moved] = tensor + step * direction
        behind[moved] = tensor - step * direction
        slope = (loss(ahead) - loss(behind)) / (2 * step)
        np.testing.assert_allclose(
            np.sum(gradient[moved] * direction),
            slope,
            rtol=tolerance,
            atol=tolerance * np.linalg.norm(gradient[moved]) + 1e-6,
            err_msg=f"tensor {moved} of the inputs and weights",
        )


def to_numpy(tensor):
    if hasattr(tensor, "detach"):
        tensor = tensor.detach()
    return ops.convert_to_numpy(tensor)
