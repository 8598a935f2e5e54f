import keras
import numpy as np
import pytest
from keras import ops

from kmul import metrics
from kmul.metrics.within_tolerance import DEFAULT_TOLERANCE

TRUE = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], "float32")
# Errors 0, 0.25, 0.5, 1, infinite and not a number, all exact in float32.
PREDICTED = np.array([[0.0, 1.25, 1.5], [4.0, np.inf, np.nan]], "float32")


@pytest.mark.parametrize(
    "tolerance, expected",
    [(0.2, 1 / 6), (0.25, 2 / 6), (0.5, 3 / 6), (1, 4 / 6), (1e30, 4 / 6)],
)
def test_share(tolerance, expected):
    metric = metrics.WithinTolerance(tolerance)
    metric.update_state(TRUE, PREDICTED)
    assert float(metric.result()) == pytest.approx(expected)


def test_default_tolerance():
    assert DEFAULT_TOLERANCE == pytest.approx(0.158, abs=2e-4)
    metric = metrics.WithinTolerance()
    metric.update_state([[0.0, 0.0]], [[0.158, 0.159]])
    assert float(metric.result()) == 0.5


def test_mean_over_batches_of_different_size():
    metric = metrics.WithinTolerance(0.1)
    metric.update_state(np.zeros((3, 4)), np.zeros((3, 4)))
    metric.update_state(np.zeros((1, 4)), np.ones((1, 4)))
    assert float(metric.result()) == pytest.approx(0.75)
    metric.reset_state()
    metric.update_state(np.zeros((1, 4)), np.ones((1, 4)))
    assert float(metric.result()) == 0


def test_sample_weight():
    metric = metrics.WithinTolerance(0.1)
    metric.update_state(
        np.zeros((2, 2)),
        np.array([[0.0, 0.0], [1.0, 1.0]]),
        sample_weight=np.array([3.0, 1.0]),
    )
    assert float(metric.result()) == pytest.approx(0.75)


@pytest.mark.parametrize(
    "true, predicted", [((8,), (8, 1)), ((8, 1), (8,)), ((4, 2), (4, 2, 1))]
)
def test_shapes_of_two_ranks(true, predicted):
    labels = np.arange(8.0)
    metric = metrics.WithinTolerance(0.1)
    metric.update_state(labels.reshape(true), labels.reshape(predicted))
    assert float(metric.result()) == 1


def test_shapes_that_do_not_match():
    metric = metrics.WithinTolerance(0.1)
    with pytest.raises(ValueError, match=r"y_pred of shape \(8, 3\)"):
        metric.update_state(np.zeros(8), np.zeros((8, 3)))


def test_fractional_labels_of_integer_predictions():
    metric = metrics.WithinTolerance(0.2)
    metric.update_state(np.array([[0.9, 0.5]]), np.array([[1, 0]]))
    assert float(metric.result()) == 0.5


def test_sparsity_error_of_bad_weights():
    assert np.isnan(metrics.sparsity_error(np.array([0.0, np.nan])))
    with pytest.raises(ValueError, match="Expected one or more weights"):
        metrics.sparsity_error(np.zeros((0, 3)))


def test_integer_labels():
    metric = metrics.WithinTolerance(0.1)
    metric.update_state(np.array([[1, 0]]), np.array([[1.05, 0.5]]))
    assert float(metric.result()) == 0.5


def test_in_training():
    """In `fit`, whose step is compiled, as in NumPy."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse", metrics=[metrics.WithinTolerance(0.5)])
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 4)).astype("float32")
    y = rng.normal(size=(20, 3)).astype("float32")
    error = np.abs(model.predict(x, verbose=0) - y)
    history = model.fit(x, y, batch_size=20, verbose=0).history
    assert history["within_tolerance"][0] == pytest.approx(
        (error <= 0.5).mean()
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_predictions(dtype):
    """The mean is of float32, whatever the predictions are."""
    metric = metrics.WithinTolerance(0.1)
    y_true = np.zeros((5000, 1), "float32")
    y_pred = np.zeros((5000, 1), "float32")
    y_pred[:1] = 1
    for _ in range(2):
        metric.update_state(y_true, ops.cast(y_pred, dtype))
    assert float(metric.result()) == pytest.approx(0.9998, abs=1e-6)


def test_config():
    metric = metrics.WithinTolerance(0.25, name="close", dtype="float32")
    config = metric.get_config()
    assert config == {"name": "close", "dtype": "float32", "tolerance": 0.25}
    copy = metrics.WithinTolerance.from_config(config)
    assert copy.get_config() == config
    revived = keras.metrics.deserialize(keras.metrics.serialize(metric))
    revived.update_state([[0.0, 0.0]], [[0.2, 0.3]])
    assert revived.name == "close"
    assert float(revived.result()) == 0.5


def test_callbacks_know_that_more_is_better():
    checkpoint = keras.callbacks.EarlyStopping("close", mode="auto", patience=0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[metrics.WithinTolerance(name="close")])
    x = np.zeros((4, 1), "float32")
    history = model.fit(x, x, epochs=3, verbose=0, callbacks=[checkpoint])
    # Always 1, so no better than before after the second epoch.
    assert history.history["close"] == [1, 1]


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), "near", None])
def test_bad_tolerance(value):
    with pytest.raises(ValueError) as caught:
        metrics.WithinTolerance(value)
    message = str(caught.value)
    assert message.startswith("Invalid value for argument `tolerance`. ")
    assert f"Received: tolerance={value!r}" in message
