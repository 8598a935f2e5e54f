"""Trains one network at one depth from several seeds, and measures."""

import dataclasses
import time

import keras
import numpy as np

from examples.layer_attention.networks import NETWORKS
from examples.layer_attention.networks import build
from kmul import callbacks
from tasks import placed_digits


@dataclasses.dataclass(frozen=True)
class Settings:
    """How everything is trained; the same for all networks."""

    depths: tuple[int, ...] = (2, 4, 8)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    steps: int = 1500
    recovery_steps: int = 150
    batch_size: int = 32
    learning_rate: float = 2e-3
    filters: int = 8
    budget: int = 100_000
    canvas_size: int = 20
    position_cells: int = 4
    measures: int = 25


QUICK = Settings(
    depths=(2, 6),
    seeds=(0, 1),
    steps=150,
    recovery_steps=30,
    budget=50_000,
    measures=10,
)


@dataclasses.dataclass(frozen=True)
class Job:
    network: str
    depth: int
    settings: Settings


@dataclasses.dataclass
class Run:
    """What one training gave."""

    network: str
    depth: int
    seed: int
    parameters: int
    step_milliseconds: float
    accuracy: float
    digit_accuracy: float
    position_accuracy: float
    # Accuracy with each convolution's weights set to noise, and what is left
    # after the last one's were and training went on a little.
    corrupted: list[float]
    recovered: float
    steps: list[int]
    # Of shape (steps, layers); attention and contribution of attended ones.
    gradient: list[list[float]]
    contribution: list[list[float]] | None = None
    attention: list[list[float]] | None = None


def train(job, send):
    """Trains a network from every seed and sends a `Run` for each.

    All seeds use one compiled model, whose weights are set anew.
    """
    settings = job.settings
    sizes = {
        "canvas_size": settings.canvas_size,
        "position_cells": settings.position_cells,
        "train_records": settings.steps * settings.batch_size,
    }
    train_data = placed_digits.load("train", "both", **sizes)
    probe = [each[:256] for each in train_data]
    images, labels = placed_digits.load("test", "both", **sizes)

    network = NETWORKS[job.network]
    model = build(
        network,
        settings.budget,
        image_shape=images.shape[1:],
        classes=placed_digits.PlacingSettings(
            canvas_size=settings.canvas_size,
            position_cells=settings.position_cells,
        ).classes("both"),
        depth=job.depth,
        filters=settings.filters,
        strides=[2] + [1] * (job.depth - 1),
    )
    model.compile(
        keras.optimizers.Adam(settings.learning_rate),
        "sparse_categorical_crossentropy",
    )

    every = settings.steps // settings.measures
    monitors = {"gradient": callbacks.GradientMonitor(*probe, frequency=every)}
    if network.mechanism is not None:
        monitors["contribution"] = callbacks.AttentionMonitor(
            probe[0], quantity="contribution", frequency=every
        )
    if network.mechanism in ("static", "self"):
        monitors["attention"] = callbacks.AttentionMonitor(
            probe[0], frequency=every
        )

    # Compiles, so that seeds and the time per step have none of it.
    model.train_on_batch(*(each[: settings.batch_size] for each in train_data))
    predicted = model.predict(images, batch_size=500, verbose=0)
    fresh_optimizer = [np.array(v) for v in model.optimizer.variables]
    fresh_optimizer = [
        value if "learning_rate" in v.path else np.zeros_like(value)
        for v, value in zip(
            model.optimizer.variables, fresh_optimizer, strict=True
        )
    ]

    def fit(data, monitors=()):
        model.fit(
            *data,
            batch_size=settings.batch_size,
            shuffle=False,
            verbose=0,
            callbacks=list(monitors),
        )

    def accuracies():
        predicted = model.predict(images, batch_size=500, verbose=0).argmax(-1)
        cells = settings.position_cells**2
        return (
            float((predicted == labels).mean()),
            float((predicted // cells == labels // cells).mean()),
            float((predicted % cells == labels % cells).mean()),
        )

    del predicted
    for seed in settings.seeds:
        keras.utils.set_random_seed(seed)
        model.set_weights(keras.models.clone_model(model).get_weights())
        for variable, value in zip(
            model.optimizer.variables, fresh_optimizer, strict=True
        ):
            variable.assign(value)
        for monitor in monitors.values():
            monitor.reset()
        order = np.random.default_rng(seed).permutation(len(train_data[0]))
        shuffled = [each[order] for each in train_data]
        fit(shuffled, monitors.values())
        both, digit, position = accuracies()
        corrupted = _corrupted(model, job.depth, seed, accuracies)
        timed = [each[: 50 * settings.batch_size] for each in shuffled]
        recovery = [
            each[: settings.recovery_steps * settings.batch_size]
            for each in shuffled
        ]
        _add_noise(model, job.depth, seed)
        fit(recovery)
        recovered = accuracies()[0]
        started = time.perf_counter()
        fit(timed)
        seconds = time.perf_counter() - started
        send(
            "run",
            Run(
                network=job.network,
                depth=job.depth,
                seed=seed,
                parameters=model.count_params(),
                step_milliseconds=1e3 * seconds / 50,
                accuracy=both,
                digit_accuracy=digit,
                position_accuracy=position,
                corrupted=corrupted,
                recovered=recovered,
                steps=monitors["gradient"].steps.tolist(),
                **{
                    name: _values(name, monitor, job.depth)
                    for name, monitor in monitors.items()
                },
            ),
        )


def _values(name, monitor, depth):
    values = monitor.values
    if name == "gradient":
        columns = [
            monitor.layers.index(f"convolution_{index + 1}")
            for index in range(depth)
        ]
        values = values[:, columns]
    return values.tolist()


def _add_noise(model, layer, seed):
    """Sets a convolution's weights to noise of the size that they had."""
    rng = np.random.default_rng([seed, layer])
    convolution = model.get_layer(f"convolution_{layer}")
    convolution.set_weights(
        [
            rng.normal(scale=np.std(weight) + 1e-8, size=weight.shape)
            for weight in convolution.get_weights()
        ]
    )


def _corrupted(model, depth, seed, accuracies):
    """Accuracy with each convolution in turn set to noise."""
    trained = model.get_weights()
    found = []
    for layer in range(1, depth + 1):
        _add_noise(model, layer, seed)
        found.append(accuracies()[0])
        model.set_weights(trained)
    return found
