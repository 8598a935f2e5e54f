import csv
import subprocess
import sys

import keras
import numpy as np
import pytest
from support.closeness import to_numpy
from support.gradients import gradients

from kmul import callbacks
from kmul import layers
from kmul import models

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(16, 5, 5, 1)).astype("float32")
LABELS = RNG.integers(4, size=16)


def compiled(mechanism="static", **kwargs):
    model = models.LayerAttendedCNN(
        (5, 5, 1),
        4,
        depth=3,
        filters=2,
        mechanism=mechanism,
        hidden_units=6,
        key_dim=2,
        **kwargs,
    )
    model.compile(
        keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy"
    )
    return model


def fit(model, *monitors, epochs=2):
    model.fit(
        IMAGES,
        LABELS,
        batch_size=4,
        epochs=epochs,
        verbose=0,
        callbacks=list(monitors),
    )


def scores(model):
    attention = model.get_layer("layer_attention")
    features = keras.Model(model.input, attention.input)
    _, found = attention(
        features.predict_on_batch(IMAGES), return_attention_scores=True
    )
    return to_numpy(found).mean(0)


@pytest.mark.parametrize("mechanism", ["static", "self"])
def test_attention(mechanism):
    model = compiled(mechanism)
    before = scores(model)
    monitor = callbacks.AttentionMonitor(IMAGES, frequency=3)
    fit(model, monitor)
    assert monitor.layers == ["layer_1", "layer_2", "layer_3"]
    assert list(monitor.steps) == [0, 3, 6]
    assert monitor.values.shape == (3, 3)
    np.testing.assert_allclose(monitor.values[0], before, rtol=1e-5)
    np.testing.assert_allclose(monitor.values.sum(1), 1, rtol=1e-5)
    assert not np.allclose(monitor.values[0], monitor.values[-1])


def test_attention_after_the_last_epoch_is_that_of_the_model():
    model = compiled()
    monitor = callbacks.AttentionMonitor(IMAGES)
    fit(model, monitor)
    assert list(monitor.steps) == [0, 4, 8]
    np.testing.assert_allclose(monitor.values[-1], scores(model), rtol=1e-5)
    # A second fit goes on where the first stopped.
    fit(model, monitor, epochs=1)
    assert list(monitor.steps) == [0, 4, 8, 12]


@pytest.mark.parametrize("mechanism", ["concat", "recurrent"])
def test_contribution(mechanism):
    model = compiled(mechanism)
    monitor = callbacks.AttentionMonitor(IMAGES, quantity="contribution")
    fit(model, monitor, epochs=1)
    np.testing.assert_allclose(monitor.values[-1], scores(model), rtol=1e-4)


def test_gradients():
    model = compiled()
    weights = [to_numpy(v) for v in model.trainable_variables]

    def loss(*values):
        outputs, _ = model.stateless_call(list(values), [], IMAGES)
        return keras.ops.mean(
            keras.losses.sparse_categorical_crossentropy(LABELS, outputs)
        )

    expected = {}
    for variable, gradient in zip(
        model.trainable_variables, gradients(loss, weights), strict=True
    ):
        name = variable.path.split("/")[-2]
        squares = np.square(gradient).sum()
        expected[name] = expected.get(name, 0) + squares
    monitor = callbacks.GradientMonitor(IMAGES, LABELS)
    fit(model, monitor, epochs=1)
    assert monitor.layers == [
        "convolution_1",
        "convolution_2",
        "convolution_3",
        "layer_attention",
        "classifier",
    ]
    np.testing.assert_allclose(
        monitor.values[0],
        [expected[name] ** 0.5 for name in monitor.layers],
        rtol=1e-4,
    )
    assert list(monitor.steps) == [0, 4]
    assert not np.allclose(monitor.values[0], monitor.values[1])


def test_gradients_of_a_sequential_model_with_a_loss_of_its_own():
    def loss(y_true, y_pred):
        return keras.ops.sum(keras.ops.square(y_pred), axis=-1) / 2

    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, use_bias=False, name="w")]
    )
    model.compile("sgd", loss)
    x = np.eye(3, dtype="float32")
    kernel = model.get_weights()[0]
    monitor = callbacks.GradientMonitor(x, np.zeros((3, 2)))
    model.fit(x, np.zeros((3, 2)), verbose=0, callbacks=[monitor])
    np.testing.assert_allclose(
        monitor.rows[0]["w"], np.linalg.norm(kernel / 3), rtol=1e-5
    )
    monitor.reset()
    assert monitor.rows == []


def test_monitors_change_nothing():
    found = []
    for watched in (False, True):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((5, 5, 1))
        x = keras.layers.Flatten()(inputs)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Dropout(0.5, seed=1)(x)
        x = layers.LayerAttention(6, transform_units=5)([x, inputs])
        x = keras.layers.Dense(4, activation="softmax")(x)
        model = keras.Model(inputs, x)
        model.compile("adam", "sparse_categorical_crossentropy")
        monitors = [
            callbacks.AttentionMonitor(IMAGES, frequency=1),
            callbacks.GradientMonitor(IMAGES, LABELS, frequency=1),
        ]
        model.fit(
            IMAGES,
            LABELS,
            batch_size=4,
            shuffle=False,
            verbose=0,
            callbacks=monitors if watched else [],
        )
        found.append(model.get_weights())
    for without, watched in zip(*found, strict=True):
        np.testing.assert_allclose(without, watched, rtol=1e-6)


def test_table_and_figure(tmp_path):
    model = compiled()
    attention = callbacks.AttentionMonitor(IMAGES)
    gradient = callbacks.GradientMonitor(IMAGES, LABELS)
    fit(model, attention, gradient)
    for monitor in (attention, gradient):
        monitor.to_csv(tmp_path / "table.csv")
        with open(tmp_path / "table.csv") as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == ["step", *monitor.layers]
        np.testing.assert_allclose(
            [[float(row[name]) for name in monitor.layers] for row in rows],
            monitor.values,
        )
        figure = monitor.figure(tmp_path / "figure.png")
        assert (tmp_path / "figure.png").stat().st_size > 5000
        labels = [t.get_text() for t in figure.axes[0].get_yticklabels()]
        assert labels == monitor.layers
        drawn = figure.axes[0].collections[0].get_array()
        np.testing.assert_allclose(
            np.asarray(drawn).reshape(len(labels), -1), monitor.values.T
        )


def test_tensorboard(tmp_path):
    event_accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    model = compiled()
    monitor = callbacks.AttentionMonitor(IMAGES, log_dir=tmp_path)
    fit(model, monitor)
    events = event_accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    tags = [f"attention/{name}" for name in monitor.layers]
    assert sorted(events.Tags()["tensors"]) == tags
    for index, tag in enumerate(tags):
        found = events.Tensors(tag)
        assert [event.step for event in found] == list(monitor.steps)
        np.testing.assert_allclose(
            [event.tensor_proto.float_val[0] for event in found],
            monitor.values[:, index],
            rtol=1e-6,
        )


@pytest.mark.backends("jax", "torch")
def test_without_tensorflow_tensorboard_and_matplotlib(tmp_path):
    program = """
import sys
from importlib.machinery import PathFinder

class Without:
    missing = {"tensorflow", "matplotlib"}
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] not in cls.missing:
            return PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
import kmul
import numpy as np

monitor = kmul.callbacks.AttentionMonitor(
    np.zeros((2, 5, 5, 1)), log_dir=sys.argv[1]
)
model = kmul.models.LayerAttendedCNN((5, 5, 1), 4, depth=2)
monitor.set_model(model)
monitor.on_train_begin()
monitor.on_train_end()
for name in [name for name in sys.modules if name.startswith("tensorboard")]:
    del sys.modules[name]
Without.missing.add("tensorboard")
try:
    kmul.callbacks.AttentionMonitor(np.zeros((2, 5, 5, 1)), log_dir="x")
except ImportError as error:
    assert "needs TensorBoard: pip install tensorboard" in str(error)
else:
    raise AssertionError("no error")
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    assert list(tmp_path.glob("events.out.tfevents*"))


def test_bad_arguments():
    with pytest.raises(
        ValueError,
        match="Invalid value for argument `quantity`. Expected one of "
        r"\('attention', 'contribution'\). Received: quantity='weights'",
    ):
        callbacks.AttentionMonitor(IMAGES, quantity="weights")
    with pytest.raises(ValueError, match="argument `frequency`"):
        callbacks.GradientMonitor(IMAGES, LABELS, frequency=0)


def test_models_without_layer_attention():
    with pytest.raises(
        ValueError,
        match="should name one of the model's `LayerAttention` layers, or be "
        r"None if it has only one\. Received: layer=None, and it has none such",
    ):
        callbacks.AttentionMonitor(IMAGES).set_model(models.CNN((5, 5, 1), 4))
    with pytest.raises(ValueError, match="Received: layer='other', and it"):
        callbacks.AttentionMonitor(IMAGES, "other").set_model(compiled())


def test_models_that_are_not_functional():
    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    for monitor in (
        callbacks.AttentionMonitor(IMAGES),
        callbacks.GradientMonitor(IMAGES, LABELS),
    ):
        with pytest.raises(
            ValueError,
            match=f"`{type(monitor).__name__}` should be used with a func",
        ):
            monitor.set_model(Subclassed())
