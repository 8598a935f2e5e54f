"""Whether a layer works: facts that take no training, on one backend.

Run in a process of its own for each backend:

    KERAS_BACKEND=torch python -m tuning.cards.facts LAYER FILE
"""

import faulthandler
import json
import pathlib
import sys
import tempfile
import time

import keras
import numpy as np
from keras import ops

from tuning.cards.asking import Group
from tuning.cards.running import build
from tuning.cards.subjects import LayerError
from tuning.cards.subjects import Subject
from tuning.cards.subjects import describe
from tuning.cards.subjects import subject_of_text
from tuning.population.loops import backend_loops
from tuning.study.imports import hide_tensorflow

WIDTH, RECORDS = 8, 6
# A layer hangs that has not been made and called on a few records by then, or
# in this many times what Keras's dense layer takes, on a busy machine.
HANG_SECONDS, HANG_TIMES = 30, 30


def collect(subject):
    """Returns the facts about a layer on this process's backend.

    Returns:
        A dictionary. `outputs` are those for given weights, a nested list;
        the others are `"yes"`, or a word or a line about what goes wrong.

    Raises:
        LayerError: The layer cannot be made and called.
    """
    return _look(subject, *_make(subject))


def _look(subject, model, x):
    return {
        "outputs": _outputs(model, x),
        "finite": _finite(model, x),
        "random": _random(model, x),
        "gradients": _attempt(_gradients, model, x),
        "saves": _attempt(_saves, model, x, subject),
        "mixed precision": _attempt(_mixed_precision, subject),
        "unknown sizes": _attempt(_unknown_sizes, subject),
    }


def _attempt(function, *arguments):
    try:
        return function(*arguments)
    except Exception as error:
        return describe(error)


def _group(subject):
    """The questions whose network a layer is judged in."""
    if subject.kind == "images":
        return Group("", "images", "linear", ())
    return Group("", "vectors", "random", ())


def _make(subject):
    """Returns the model of a layer, and its inputs."""
    rng = np.random.default_rng(0)
    if subject.kind == "images":
        x = rng.random((RECORDS, 12, 12, 1), np.float32)
    else:
        x = [rng.random((RECORDS, WIDTH), np.float32) for _ in range(2)]
    try:
        model = build(subject, _group(subject), x, WIDTH)
        # A layer that knows its output shape has not been called before.
        model(x)
    except Exception as error:
        raise LayerError(_diagnosis(subject, error)) from error
    if len(model.output_shape) != 2:
        raise LayerError(
            f"{subject.name} should return one vector for each record. "
            f"Received: an output of shape {model.output_shape}"
        )
    return model, x


def _diagnosis(subject, error):
    """Returns the defect of a layer that no model can be made of."""
    network = subject.network
    if subject.kind == "images":
        image = keras.Input((12, 12, 1))
        ways = [("an image", {"filters": 8, "kernel_size": 3}, image)]
    else:
        a, b = keras.Input((WIDTH,)), keras.Input((WIDTH,))
        both = keras.layers.Concatenate()([a, b])
        ways = [
            ("one vector", {"units": WIDTH}, both),
            ("two vectors", {"units": WIDTH}, [a, b]),
        ]
    reasons = {}
    for name, arguments, inputs in ways:
        try:
            layer = network.make(**arguments)
            if not isinstance(layer, keras.layers.Layer):
                return (
                    f"{subject.name} should return a Keras layer. Received: "
                    f"{layer!r}"
                )
            output = layer(inputs)
        except Exception as reason:
            reasons.setdefault(describe(reason), []).append(name)
            continue
        outputs = keras.tree.flatten(output)
        if len(outputs) != 1:
            return (
                f"{subject.name} should return one output. Received: "
                f"{len(outputs)} of them, of the shapes "
                f"{', '.join(str(each.shape) for each in outputs)}"
            )
        if len(output.shape) < 2 or output.shape[0] is not None:
            return (
                f"{subject.name} should return an output for each record, of "
                f"shape (batch, ...). Received: shape {output.shape}"
            )
    if sum(map(len, reasons.values())) == len(ways):
        lines = [
            f"called on {' or '.join(names)}: {reason}"
            for reason, names in reasons.items()
        ]
        return "\n".join([f"{subject.name} cannot be called.", *lines])
    return f"{subject.name}: {describe(error)}"


def _outputs(model, x):
    """Returns outputs for weights that are the same on every backend."""
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.uniform(-0.5, 0.5, variable.shape))
    return _call(model, x).tolist()


def _call(model, x, **kwargs):
    return ops.convert_to_numpy(model(x, **kwargs)).astype("float64")


def _finite(model, x):
    if np.isfinite(_call(model, x)).all():
        return "yes"
    return "NaN or infinity on random numbers"


def _random(model, x):
    outputs = [_call(model, x, training=mode) for mode in (0, 0, 1, 1)]
    if not np.array_equal(outputs[0], outputs[1], equal_nan=True):
        return "draws random numbers"
    if not np.array_equal(outputs[2], outputs[3], equal_nan=True):
        return "draws random numbers in training"
    if model.non_trainable_variables:
        return "has a state that is not trained"
    return "no"


def _gradients(model, x, start=0.0):
    """Whether the gradients of weights and inputs are finite at zeros."""
    count = len(model.trainable_variables)

    def mean(values):
        inputs = keras.tree.pack_sequence_as(x, values[count:])
        constant = [each.value for each in model.non_trainable_variables]
        outputs, constant = model.stateless_call(
            values[:count], constant, inputs
        )
        return ops.mean(outputs), constant

    values = [each.value for each in model.trainable_variables]
    values += [
        ops.convert_to_tensor(np.full_like(each, start))
        for each in keras.tree.flatten(x)
    ]
    _, gradients = backend_loops().value_and_grad(mean)(values)
    finite = all(
        np.isfinite(ops.convert_to_numpy(each)).all() for each in gradients
    )
    return "yes" if finite else "NaN or infinity"


def _saves(model, x, subject):
    expected = _call(model, x)
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "model.keras")
        model.save(path)
        try:
            loaded, how = keras.models.load_model(path), "yes"
        except (TypeError, ValueError):
            loaded = keras.models.load_model(
                path, custom_objects={subject.layer.__name__: subject.layer}
            )
            how = "with custom_objects"
    if np.allclose(_call(loaded, x), expected, atol=1e-6, equal_nan=True):
        return how
    return "loads, with other outputs"


def _mixed_precision(subject):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model, x = _make(subject)
        output = model(x)
        if keras.backend.standardize_dtype(output.dtype) != "float16":
            return f"returns {keras.backend.standardize_dtype(output.dtype)}"
        if not np.isfinite(ops.convert_to_numpy(output)).all():
            return "NaN or infinity"
    finally:
        keras.config.set_dtype_policy(policy)
    return "yes"


def _unknown_sizes(subject):
    """Whether it is called on shapes of which only the last size is known."""
    if subject.kind == "images":
        inputs = keras.Input((None, None, 1))
        outputs = subject.network.make(
            filters=2, kernel_size=3, padding="same"
        )(inputs)
        shapes = [(2, 5, 6, 1), (3, 7, 4, 1)]
    else:
        inputs = [keras.Input((None, WIDTH)) for _ in range(2)]
        layer = subject.network.make(units=WIDTH)
        try:
            outputs = layer(inputs)
        except (TypeError, ValueError):
            layer = subject.network.make(units=WIDTH)
            outputs = layer(keras.layers.Concatenate()(inputs))
        shapes = [(2, 3, WIDTH), (4, 5, WIDTH)]
    model = keras.Model(inputs, outputs)
    for shape in shapes:
        x = np.ones(shape, "float32")
        model(x if subject.kind == "images" else [x, x])
    return "yes"


def main():
    text, path = sys.argv[1:]
    hide_tensorflow()
    started = time.monotonic()
    _make(Subject("Dense", keras.layers.Dense))
    usual = time.monotonic() - started
    # The stack of a layer that hangs goes to the standard error.
    faulthandler.dump_traceback_later(
        max(HANG_SECONDS, HANG_TIMES * usual), exit=True
    )
    try:
        subject = subject_of_text(text)
        made = _make(subject)
        faulthandler.cancel_dump_traceback_later()
        facts = _look(subject, *made)
    except LayerError as error:
        facts = {"error": str(error)}
    pathlib.Path(path).write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main()
