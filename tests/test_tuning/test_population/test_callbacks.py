import keras
import numpy as np

from tuning.population.callbacks import CosineDecay
from tuning.population.callbacks import RestoreBest
from tuning.population.population import Population


def population(rates):
    models = []
    for rate in rates:
        model = keras.Sequential(
            [
                keras.Input((2,)),
                keras.layers.Dense(1, kernel_initializer="ones"),
            ]
        )
        model.compile(keras.optimizers.SGD(rate), "mse")
        models.append(model)
    return Population(models)


def records():
    x = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
    return x, x @ np.array([[3.0], [-2.0]], "float32")


def test_rates_fall_along_a_cosine():
    members = population([0.1, 0.2])
    seen = []
    members.fit(
        *records(),
        epochs=4,
        callbacks=[
            CosineDecay(4),
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda *_: seen.append(members.learning_rates)
            ),
        ],
    )
    shares = (1 + np.cos(np.pi * (np.arange(4) + 0.5) / 4)) / 2
    np.testing.assert_allclose(seen, shares[:, None] * [[0.1, 0.2]], rtol=1e-5)


def test_the_best_weights_come_back():
    # The second member's rate is too high: every epoch is worse.
    members = population([0.1, 1.5])
    x, y = records()
    before = members.evaluate(x, y)["loss"]
    history = members.fit(
        x, y, epochs=3, validation_data=(x, y), callbacks=[RestoreBest()]
    )
    losses = np.array(history.history["val_loss"])
    assert losses[-1, 1] > losses[0, 1] > before[1]
    np.testing.assert_allclose(
        members.evaluate(x, y)["loss"], losses.min(axis=0), rtol=1e-4
    )


def test_a_member_keeps_the_weights_that_reached_the_target():
    members = population([0.05, 0.1])
    x, y = records()
    members.fit(
        x,
        y,
        epochs=30,
        validation_data=(x, y),
        monitor="val_loss",
        target=0.5,
        mode="min",
        callbacks=[RestoreBest()],
    )
    assert members.reached.all()
    assert (members.evaluate(x, y)["loss"] <= 0.5).all()
