"""Models and records that train in no time."""

import keras
import numpy as np

from kmul.metrics import WithinTolerance
from tuning.population.batches import Batches

WIDTH = 8


def records(count=64, outputs=2, seed=0):
    """Returns inputs, and what a small network can learn of them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, WIDTH)).astype("float32")
    y = x @ rng.normal(size=(WIDTH, outputs)).astype("float32") / WIDTH
    return x, y


def model(
    rate=1e-2,
    seed=0,
    optimizer=keras.optimizers.Adam,
    body=(),
    loss="mse",
    metrics=("mae",),
    outputs=2,
    activation="tanh",
    **options,
):
    """Returns a compiled network with one hidden layer, then `body`."""

    def dense(units, activation, seed, **kwargs):
        return keras.layers.Dense(
            units,
            activation=activation,
            kernel_initializer=keras.initializers.GlorotUniform(seed),
            **kwargs,
        )

    network = keras.Sequential(
        [
            keras.Input((WIDTH,)),
            dense(6, activation, 2 * seed),
            *body,
            dense(outputs, None, 2 * seed + 1, **options),
        ]
    )
    network.compile(optimizer(rate), loss=loss, metrics=list(metrics))
    return network


def accuracy(tolerance=0.1):
    return WithinTolerance(tolerance, name="accuracy")


def in_order(x, y, batch_size, steps, **kwargs):
    """Returns the records of a population's steps, for Keras's own `fit`."""
    xs, (ys,) = Batches(x, y, batch_size, **kwargs).next(steps)

    def flat(batches):
        return batches.reshape(-1, *batches.shape[2:])

    return keras.tree.map_structure(flat, xs), flat(ys)


def fit(member, x, y, batch_size=8, steps=12):
    """Trains a model alone, on the batches that a population would get."""
    x, y = in_order(x, y, batch_size, steps)
    return member.fit(x, y, batch_size=batch_size, shuffle=False, verbose=0)


def same_weights(one, other, **tolerance):
    for left, right in zip(one, other, strict=True):
        np.testing.assert_allclose(left, right, **tolerance)
