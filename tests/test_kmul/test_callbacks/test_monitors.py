import csv
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from support.closeness import to_numpy
from support.gradients import gradients

import kmul
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
    # A second fit continues where the first stopped.
    fit(model, monitor, epochs=1)
    assert list(monitor.steps) == [0, 4, 8, 12]


@pytest.mark.parametrize("mechanism", ["concat", "recurrent"])
def test_contribution(mechanism):
    model = compiled(mechanism)
    monitor = callbacks.AttentionMonitor(IMAGES, quantity="contribution")
    fit(model, monitor, epochs=1)
    np.testing.assert_allclose(monitor.values[-1], scores(model), rtol=1e-4)


def masked_model(**kwargs):
    """Attention over the steps of sequences, some of which are masked."""
    steps = keras.Input((3, 2))
    masked = keras.layers.Masking()(steps)
    other = keras.layers.Dense(2, name="other")(masked)
    outputs = layers.LayerAttention(4, **kwargs)([masked, other])
    model = keras.Model(steps, keras.layers.Dense(1)(outputs))
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("quantity", ["attention", "contribution"])
def test_masked_positions_do_not_count(quantity):
    """Zeros that are masked do not become what a bias makes of them."""
    x = RNG.normal(size=(8, 3, 2)).astype("float32")
    x[:, 2] = 0
    model = masked_model(mechanism="self", key_dim=2)
    bias = np.array([5, -5], "float32")
    model.get_layer("other").bias.assign(bias)
    attention = next(
        layer
        for layer in model.layers
        if isinstance(layer, layers.LayerAttention)
    )
    hidden = to_numpy(model.get_layer("other")(x))
    kept = np.array([[True, True, False]] * 8)
    if quantity == "attention":
        _, expected = attention(
            [x, hidden], mask=[kept, kept], return_attention_scores=True
        )
    else:
        expected = attention.contributions([x, hidden], [kept, kept])
    monitor = callbacks.AttentionMonitor(x, quantity=quantity)
    monitor.set_model(model)
    monitor.on_train_begin()
    np.testing.assert_allclose(
        monitor.values[0], to_numpy(expected).mean(0), rtol=1e-4
    )


def test_a_monitor_that_moves_to_another_model():
    first = compiled()
    monitors = [
        callbacks.AttentionMonitor(IMAGES),
        callbacks.GradientMonitor(IMAGES, LABELS),
    ]
    fit(first, *monitors, epochs=1)
    second = models.LayerAttendedCNN(
        (5, 5, 1), 4, depth=2, filters=3, hidden_units=6
    )
    second.compile("sgd", "sparse_categorical_crossentropy")
    for monitor in monitors:
        monitor.reset()
    fit(second, *monitors, epochs=1)
    attention, gradient = monitors
    assert attention.layers == ["layer_1", "layer_2"]
    assert gradient.layers == [
        "convolution_1",
        "convolution_2",
        "layer_attention",
        "classifier",
    ]


class TwoOfOneName(keras.layers.Layer):
    """y = (v + w) x, where v and w have one name."""

    def build(self, input_shape):
        self.pair = [
            self.add_weight(name="scale", shape=(), initializer="ones")
            for _ in range(2)
        ]

    def call(self, inputs):
        return (3.0 * self.pair[0] + 4.0 * self.pair[1]) * inputs

    def compute_output_shape(self, input_shape):
        return input_shape


def test_gradients_of_weights_of_one_name_and_of_several_losses():
    inputs = keras.Input((1,))
    first = TwoOfOneName(name="pair")(inputs)
    second = keras.layers.Dense(1, use_bias=False, name="dense")(inputs)
    model = keras.Model(inputs, [first, second])
    model.compile(
        "sgd",
        loss=["mean_absolute_error", "mean_absolute_error"],
        loss_weights=[2.0, 0.5],
    )
    ones, below = np.ones((4, 1)), np.full((4, 1), -100.0)
    monitor = callbacks.GradientMonitor(ones, [below, below])
    model.fit(ones, [below, below], verbose=0, callbacks=[monitor])
    assert monitor.rows[0]["pair"] == pytest.approx(2 * 5)
    assert monitor.rows[0]["dense"] == pytest.approx(0.5)


def test_a_layer_without_a_gradient_has_one_of_exactly_0():
    inputs = keras.Input((3,))
    x = keras.layers.Dense(4, name="dead", bias_initializer="ones")(inputs)
    x = keras.layers.ReLU()(-keras.ops.square(x))
    model = keras.Model(inputs, keras.layers.Dense(1, name="alive")(x))
    model.compile("sgd", "mse")
    x, y = np.ones((4, 3)), np.ones((4, 1))
    monitor = callbacks.GradientMonitor(x, y)
    model.fit(x, y, verbose=0, callbacks=[monitor])
    assert monitor.layers == ["dead", "alive"]
    assert (monitor.values[:, 0] == 0).all()
    assert (monitor.values[:, 1] > 0).all()
    drawn = monitor.figure().axes[0].collections[0]
    colors = drawn.to_rgba(drawn.get_array()).reshape(2, -1, 4)
    # Transparent, which is blank.
    assert (colors[0, :, 3] == 0).all()
    assert (colors[1, :, 3] == 1).all()


@pytest.mark.parametrize(
    "monitor", [callbacks.AttentionMonitor, callbacks.GradientMonitor]
)
def test_example_of_the_docstring(monitor, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = monitor.__doc__.partition("```python\n")[2].partition("```")[0]
    names = {"keras": keras, "kmul": kmul, "np": np}
    exec(textwrap.dedent(example), names)
    assert len(names["monitor"].rows) > 2
    assert list(tmp_path.glob("*.png"))


def test_nothing_measured_yet():
    monitor = callbacks.GradientMonitor(IMAGES, LABELS)
    for use in (
        lambda: monitor.layers,
        lambda: monitor.values,
        lambda: monitor.to_csv("never.csv"),
        monitor.figure,
    ):
        with pytest.raises(
            ValueError, match="`GradientMonitor` has measured nothing yet"
        ):
            use()


def test_a_model_without_a_loss():
    model = models.CNN((5, 5, 1), 4, depth=1)
    model.compile("sgd")
    monitor = callbacks.GradientMonitor(IMAGES, LABELS)
    monitor.set_model(model)
    with pytest.raises(ValueError, match="`GradientMonitor` needs a loss"):
        monitor.on_train_begin()


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
    with pytest.raises(ValueError, match=r"\('epoch',\). Received: .*'batch'"):
        callbacks.GradientMonitor(IMAGES, LABELS, frequency="batch")


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
