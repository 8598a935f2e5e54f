import json

import numpy as np
import pytest
from keras import ops
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers


def polynomial(weights, z, degree, form):
    factors = np.split(z @ weights["factor_kernel"], degree, axis=-1)
    state = factors[0]
    if form != "ccp":
        state = state * weights["offset_1"]
    for n in range(2, degree + 1):
        if form == "ccp":
            state = factors[n - 1] * state + state
            continue
        raised = state @ weights[f"state_kernel_{n}"] + weights[f"offset_{n}"]
        raised = factors[n - 1] * raised
        if form == "ncp_skip":
            raised = raised + state @ weights[f"skip_kernel_{n}"]
        state = raised
    return state @ weights["output_kernel"] + weights["bias"]


@pytest.mark.parametrize("form", ["ccp", "ncp", "ncp_skip"])
@pytest.mark.parametrize(
    "shape, degree",
    [((6, 4), 1), ((6, 4), 4), ((6, 3, 4), 2), ((6, 3, 2, 4), 3)],
)
def test_forms(form, shape, degree):
    layer = layers.PolynomialDense(3, degree, form, hidden_units=5)
    weights, z = prepare(layer, shape)
    assert_computes(layer, z, polynomial(weights, z, degree, form))


def test_is_a_polynomial_of_its_degree():
    layer = layers.PolynomialDense(1, degree=3, hidden_units=5)
    prepare(layer, (8, 4))
    line = np.linspace(-1, 1, 8, dtype="float32")[:, None]
    direction = np.array([[1.0, -2.0, 0.5, 3.0]], "float32")
    values = ops.convert_to_numpy(layer(line * direction))[:, 0]
    differences = [values]
    for _ in range(4):
        differences.append(np.diff(differences[-1]))
    assert np.abs(differences[3]).max() > 1e-2
    assert np.abs(differences[4]).max() < 1e-3 * np.abs(values).max()


@pytest.mark.parametrize(
    "form, count",
    [
        ("ccp", 3 * 4 * 5 + 5 * 2 + 2),
        ("ncp", 3 * 4 * 5 + 3 * 5 + 2 * 25 + 5 * 2 + 2),
        ("ncp_skip", 3 * 4 * 5 + 3 * 5 + 2 * 25 + 2 * 25 + 5 * 2 + 2),
    ],
)
def test_parameter_count(form, count):
    layer = layers.PolynomialDense(2, degree=3, form=form, hidden_units=5)
    layer.build((None, 4))
    assert layer.count_params() == count


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"units": 0}, r"`units`\. Expected a positive integer"),
        ({"units": 1, "degree": 0}, r"`degree`\. Expected a positive integer"),
        (
            {"units": 1, "form": "cp"},
            r"Expected one of \('ccp', 'ncp'",
        ),
        ({"units": 1, "hidden_units": 1.5}, "Received: hidden_units=1.5"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.PolynomialDense(**arguments)


def test_numpy_integers_are_integers():
    layer = layers.PolynomialDense(np.int64(2), np.int8(3))
    json.dumps(layer.get_config())


def test_bad_shapes():
    with pytest.raises(ValueError, match="should be called on a single tensor"):
        layers.PolynomialDense(1).build([(2, 4), (2, 4)])
    with pytest.raises(ValueError, match="should be defined"):
        layers.PolynomialDense(1).build((2, None))
