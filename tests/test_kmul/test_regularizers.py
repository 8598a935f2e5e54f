import keras
import numpy as np
import pytest
from keras import ops
from support.gradients import gradients

from kmul.constraints import Interval
from kmul.metrics import sparsity_error
from kmul.regularizers import Discreteness
from kmul.regularizers import Saturation


def test_discreteness_has_no_slope_at_its_values():
    weights = np.array([-1.0, 0.0, 1.0, -0.5, 0.5, 0.25, 0.75], "float32")
    for values, expected in (
        ((-1, 0, 1), [0, 0, 0, 0, 0, 1, -1]),
        ((0, 1), [-1, 0, 0, -1, 0, 1, -1]),
    ):
        (found,) = gradients(Discreteness(7.0, values), [weights])
        np.testing.assert_allclose(found, expected)


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


def test_saturation():
    weights = np.array([-30.0, -15.0, 0.0, 5.0, 20.0], "float32")
    found = Saturation(2.0)(ops.convert_to_tensor(weights))
    assert float(found) == pytest.approx(2 * (5 + 20 + 15) / 5)
    (slopes,) = gradients(Saturation(5.0), [weights])
    np.testing.assert_allclose(slopes, [0, 1, 0, -1, 0])


def test_constraint_and_regularizer_round_trip():
    for each in (Interval(-1.0, 1.0), Discreteness(0.5, (0.0, 1.0))):
        revived = keras.saving.deserialize_keras_object(
            keras.saving.serialize_keras_object(each)
        )
        assert type(revived) is type(each)
        assert revived.get_config() == each.get_config()


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


@pytest.mark.parametrize("arguments", [{"strength": 0}, {"bound": -1.0}])
def test_bad_saturation(arguments):
    (name,) = arguments
    with pytest.raises(
        ValueError, match=rf"`{name}`\. Expected a finite number above 0"
    ):
        Saturation(**arguments)
