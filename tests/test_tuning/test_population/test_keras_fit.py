"""Members trained together have the histories that Keras gives each alone."""

import csv
import threading

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from tuning.population.keras_fit import fit_as_keras

WIDTH = 4
RNG = np.random.default_rng(0)
X = RNG.normal(size=(16, WIDTH)).astype("float32")
LINE = X.sum(1, keepdims=True) / 4
SIGN = (X.sum(1) > 0).astype("int32")
SEQUENCES = RNG.normal(size=(16, 3, 2)).astype("float32")
WEIGHTS = RNG.uniform(size=16).astype("float32")
EPOCHS = 2


def dense(*body, outputs=1, activation=None):
    return keras.Sequential(
        [
            keras.Input((WIDTH,)),
            layers.Dense(3, activation="tanh"),
            *body,
            layers.Dense(outputs, activation=activation),
        ]
    )


def compiled(model, optimizer=None, loss="mse", **options):
    model.compile(optimizer or keras.optimizers.Adam(0.02), loss, **options)
    return model


def adam(rate):
    return compiled(dense(), keras.optimizers.Adam(rate))


def softmax(rate, metrics=("accuracy",), **options):
    return compiled(
        dense(outputs=2, activation="softmax"),
        keras.optimizers.Adam(rate),
        "sparse_categorical_crossentropy",
        metrics=list(metrics),
        **options,
    )


def two_outputs(rate):
    inputs = keras.Input((WIDTH,))
    hidden = layers.Dense(3, activation="tanh")(inputs)
    model = keras.Model(
        inputs,
        {
            "line": layers.Dense(1, name="line")(hidden),
            "sign": layers.Dense(1, "sigmoid", name="sign")(hidden),
        },
    )
    return compiled(
        model,
        keras.optimizers.Adam(rate),
        {"line": "mse", "sign": "binary_crossentropy"},
        loss_weights={"line": 0.3, "sign": 2.0},
        metrics={"line": ["mae"], "sign": ["accuracy"]},
    )


class Own(keras.Model):
    """Not built before data, and without a `training` argument."""

    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(3, activation="tanh")
        self.head = layers.Dense(1)

    def call(self, inputs):
        hidden = self.hidden(inputs)
        self.add_loss(1e-2 * ops.mean(hidden**2))
        return self.head(hidden)


def recurrent(rate):
    return compiled(
        keras.Sequential(
            [keras.Input((3, 2)), layers.LSTM(3), layers.Dense(1)]
        ),
        keras.optimizers.Adam(rate),
    )


def own_loss(y, predictions):
    return ops.mean(ops.abs(y - predictions) ** 1.5, axis=-1)


def scheduled_and_clipped(rate):
    schedule = keras.optimizers.schedules.ExponentialDecay(rate, 2, 8 * rate)
    optimizer = keras.optimizers.AdamW(schedule, clipnorm=0.1)
    return compiled(dense(), optimizer)


# The model; what it is trained on; other arguments of `fit_as_keras`.
CASES = {
    "incomplete batches, labels of fewer axes": (
        lambda rate: compiled(dense(), metrics=["mae", "mse"]),
        (X, LINE[:, 0], None),
        {"batch_size": 6, "validation_batch_size": 5},
    ),
    "accuracy, sparse, weighted": (
        lambda rate: softmax(rate, weighted_metrics=["accuracy"]),
        (X, SIGN, WEIGHTS),
        {},
    ),
    "accuracy, one-hot": (
        lambda rate: compiled(
            dense(outputs=2, activation="softmax"),
            loss="categorical_crossentropy",
            metrics=["acc", keras.metrics.AUC(num_thresholds=11, name="auc")],
        ),
        (X, np.eye(2, dtype="float32")[SIGN], None),
        {},
    ),
    "accuracy, binary": (
        lambda rate: compiled(
            dense(activation="sigmoid"),
            loss="binary_crossentropy",
            metrics=["accuracy", "RootMeanSquaredError"],
        ),
        (X, SIGN, None),
        {"validation_freq": 2, "initial_epoch": 1, "epochs": 4},
    ),
    "several outputs": (
        two_outputs,
        (X, {"line": LINE, "sign": SIGN[:, None]}, None),
        {},
    ),
    "own model, loss and metric": (
        lambda rate: compiled(
            Own(),
            keras.optimizers.Adam(rate),
            own_loss,
            metrics=[own_loss],
        ),
        (X, LINE, None),
        {"batch_size": 100},
    ),
    "batch normalization": (
        lambda rate: compiled(dense(layers.BatchNormalization())),
        (X, LINE, None),
        {},
    ),
    "recurrent": (recurrent, (SEQUENCES, LINE, None), {}),
    "steps that go on in the next epoch": (
        adam,
        (X, LINE, None),
        {
            "batch_size": 3,
            "steps_per_epoch": 3,
            "validation_steps": 2,
        },
    ),
    "Nadam": (
        lambda rate: compiled(dense(), keras.optimizers.Nadam(rate)),
        (X, LINE, None),
        {},
    ),
    "scaled loss": (
        lambda rate: compiled(
            dense(),
            keras.optimizers.LossScaleOptimizer(
                keras.optimizers.Adam(rate), dynamic_growth_steps=3
            ),
        ),
        (X, LINE, None),
        {},
    ),
    "Muon": (
        lambda rate: compiled(dense(), keras.optimizers.Muon(rate)),
        (X, LINE, None),
        {},
    ),
    "schedule, weight decay, clipping": (
        scheduled_and_clipped,
        (X, LINE, None),
        {},
    ),
}
CASES = [
    *(pytest.param(*case, id=name) for name, case in CASES.items()),
    pytest.param(
        # XLA draws other random numbers than TensorFlow alone.
        lambda rate: compiled(dense(layers.Dropout(0.5)), jit_compile=True),
        (X, LINE, None),
        {},
        id="dropout",
        # PyTorch draws other random numbers than Keras on it.
        marks=pytest.mark.backends("jax", "tensorflow"),
    ),
]


def model_of(make, train, index):
    """Returns one of two models that differ in rate and weights, built."""
    keras.utils.set_random_seed(index + 1)
    model = make([0.02, 0.1][index])
    if not model.built:
        model(train[0][:1])
    return model


def two_models(make, train):
    return [model_of(make, train, index) for index in range(2)]


def validation(train):
    return keras.tree.map_structure(
        lambda each: None if each is None else each[:8], train
    )


def together(make, train, batch_size=8, callbacks=None, **options):
    options = {"epochs": EPOCHS, "validation": validation(train)} | options
    return fit_as_keras(
        two_models(make, train),
        train,
        batch_size=batch_size,
        shuffle=False,
        callbacks=callbacks and [callbacks(i) for i in range(2)],
        **options,
    )


def check_as_alone(histories, make, train, callbacks=None, **options):
    """Compares the second one with that of Keras, which is costlier."""
    x, y, sample_weight = train
    options = {
        "epochs": EPOCHS,
        "validation_data": validation(train),
        "batch_size": 8,
    } | options
    other = model_of(make, train, 1).fit(
        x,
        y,
        sample_weight=sample_weight,
        shuffle=False,
        verbose=0,
        callbacks=callbacks and callbacks(1),
        **options,
    )
    first, one = histories
    assert one.epoch == other.epoch
    assert list(one.history) == list(other.history)
    for name, values in one.history.items():
        np.testing.assert_allclose(
            values, other.history[name], 2e-3, 2e-5, err_msg=name
        )
    assert not np.allclose(
        one.history["loss"][0], first.history["loss"][0], rtol=1e-2
    )
    return other


@pytest.mark.parametrize("make, train, options", CASES)
def test_as_keras(make, train, options):
    histories = together(make, train, **options)
    check_as_alone(histories, make, train, **options)


def early(index):
    """The first one stops after two epochs, the second after three."""
    return [
        keras.callbacks.EarlyStopping(
            "loss",
            patience=index + 1,
            min_delta=10,
            restore_best_weights=True,
        )
    ]


def plateau(index):
    return [
        keras.callbacks.ReduceLROnPlateau(
            "loss", patience=0, min_delta=0.05, factor=0.1
        )
    ]


def scheduled(index):
    return [keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)]


class Halved(keras.callbacks.Callback):
    """Changes weights, as nobody but their owner may."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.set_weights([each / 2 for each in self.model.get_weights()])


@pytest.mark.parametrize(
    "callbacks",
    [early, plateau, scheduled, lambda index: [Halved()]],
    ids=["early stopping", "plateau", "scheduler", "own"],
)
def test_callbacks_see_their_model_alone(callbacks):
    make, train = adam, (X, LINE, None)
    options = {"callbacks": callbacks, "epochs": 4}
    histories = together(make, train, **options)
    other = check_as_alone(histories, make, train, **options)
    if callbacks is early:
        assert [len(each.epoch) for each in histories] == [2, 3]
        for left, right in zip(
            histories[1].model.get_weights(),
            other.model.get_weights(),
            strict=True,
        ):
            np.testing.assert_allclose(left, right, rtol=2e-3, atol=1e-4)


@pytest.mark.backends("torch")
def test_one_that_diverges_is_terminated():
    def make(rate):
        wild = keras.optimizers.SGD(1e30 if rate == 0.1 else rate)
        return compiled(dense(), wild)

    options = {
        "callbacks": lambda index: [keras.callbacks.TerminateOnNaN()],
        "epochs": 3,
    }
    train = (X, LINE, None)
    histories = together(make, train, **options)
    assert [each.epoch for each in histories] == [[0, 1, 2], [0]]
    check_as_alone(histories, make, train, **options)


def test_files_of_callbacks(tmp_path):
    def callbacks(index):
        return [
            keras.callbacks.CSVLogger(tmp_path / f"{index}.csv"),
            keras.callbacks.ModelCheckpoint(tmp_path / f"{index}.keras"),
        ]

    make, train = adam, (X, LINE, None)
    histories = together(make, train, callbacks=callbacks)
    for i, history in enumerate(histories):
        with open(tmp_path / f"{i}.csv") as file:
            rows = list(csv.DictReader(file))
        assert [float(row["loss"]) for row in rows] == pytest.approx(
            history.history["loss"]
        )
        saved = keras.saving.load_model(tmp_path / f"{i}.keras")
        loss = saved.evaluate(X[:8], LINE[:8], verbose=0)
        assert loss == pytest.approx(history.history["val_loss"][-1], rel=1e-3)


@pytest.mark.backends("torch")
def test_dropout_differs_by_member_and_step():
    """It is another draw for each, and none in evaluation."""

    def make(rate):
        return compiled(
            keras.Sequential(
                [keras.Input((WIDTH,)), layers.Dropout(0.5), layers.Dense(1)]
            ),
            keras.optimizers.SGD(1e-9),
        )

    models = two_models(make, (X, LINE, None))
    models[1].set_weights(models[0].get_weights())
    histories = fit_as_keras(
        models, (X, LINE, None), (X, LINE, None), epochs=2, shuffle=False
    )
    losses = [history.history["loss"] for history in histories]
    assert len({*losses[0], *losses[1]}) == 4
    assert histories[0].history["val_loss"] == pytest.approx(
        histories[1].history["val_loss"]
    )


@pytest.mark.backends("torch")
@pytest.mark.parametrize("count", [1, 2])
def test_it_can_be_interrupted(count):
    interrupted = threading.Event()
    interrupted.set()
    models = two_models(adam, (X, LINE, None))[:count]
    with pytest.raises(RuntimeError, match="was interrupted"):
        fit_as_keras(models, (X, LINE, None), interrupted=interrupted)


def test_each_epoch_has_an_order_of_its_own():
    """Drawn from NumPy's global state, so it can be seeded."""
    make, train = adam, (X, LINE, None)

    def losses(seed, shuffle=True):
        models = two_models(make, train)
        np.random.seed(seed)
        (history, _) = fit_as_keras(
            models, train, batch_size=4, epochs=2, shuffle=shuffle
        )
        return history.history["loss"]

    assert losses(1) == pytest.approx(losses(1))
    assert losses(1) != pytest.approx(losses(2), rel=1e-4)
    assert losses(1) != pytest.approx(losses(1, shuffle=False), rel=1e-4)
