import keras
import numpy as np
import pytest
from keras import ops

from kmul import layers
from kmul import models


def test_is_a_chain_of_polynomials():
    model = models.ProductOfPolynomials(2, degrees=(2, 3), hidden_units=5)
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    found = ops.convert_to_numpy(model(x))
    first = layers.PolynomialDense(5, degree=2, hidden_units=5)
    second = layers.PolynomialDense(2, degree=3, hidden_units=5)
    second(first(x))
    for mine, its in zip((first, second), model.polynomials, strict=True):
        mine.set_weights(its.get_weights())
    np.testing.assert_allclose(
        found, ops.convert_to_numpy(second(first(x))), rtol=1e-5
    )
    assert model.count_params() == (2 * 20 + 25 + 5) + (3 * 25 + 10 + 2)


def test_trains_and_saves(tmp_path):
    model = models.ProductOfPolynomials(1, form="ncp_skip", hidden_units=5)
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    history = model.fit(x, x[:, :1] * x[:, 1:2], epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict_on_batch(x), model.predict_on_batch(x), rtol=1e-6
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"units": 0}, r"`units`\. Expected a positive integer"),
        (
            {"units": 1, "degrees": ()},
            r"`degrees`\. Expected a list or tuple of one or more positive "
            r"integers\. Received: degrees=\(\)",
        ),
        ({"units": 1, "degrees": 2}, "Received: degrees=2"),
        ({"units": 1, "degrees": (2, 0)}, "Received: degrees=0"),
        ({"units": 1, "form": "cp"}, r"`form`\. Expected one of"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.ProductOfPolynomials(**arguments)
