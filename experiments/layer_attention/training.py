"""Trains one network at one depth from several seeds, and measures."""

import functools
import time

import keras
import numpy as np

from experiments.layer_attention.networks import NETWORKS
from experiments.layer_attention.networks import build
from experiments.layer_attention.settings import Run
from kmul import callbacks
from tasks import placed_digits

DIGITS = 10


@keras.saving.register_keras_serializable("experiments")
def digit_and_position_loss(labels, logits):
    """Cross-entropy of the digit plus that of the position.

    Args:
        labels: Of shape (batch, 2), the digit and the position.
        logits: Those of the ten digits, then those of the positions.
    """
    loss = keras.losses.sparse_categorical_crossentropy
    digit = loss(labels[:, 0], logits[:, :DIGITS], from_logits=True)
    position = loss(labels[:, 1], logits[:, DIGITS:], from_logits=True)
    return digit + position


def train(job, send):
    """Sends `("rows", [Run])` for each seed that a network is trained from."""
    started = time.perf_counter()
    trainer = _Trainer(job.network, job.depth, job.settings)
    rate = job.learning_rate or trainer.best_rate()
    for seed in job.seeds:
        run = trainer.run(seed, rate)
        # The first includes compiling and choosing the rate.
        run.seconds = time.perf_counter() - started
        started = time.perf_counter()
        send("rows", [run])


class _Trainer:
    """A compiled network, trained from one seed after the other."""

    def __init__(self, name, depth, settings):
        self.name, self.depth, self.settings = name, depth, settings
        self.train_data = _load("train", settings)
        self.validation = _load("validation", settings)
        self.test = _load("test", settings)
        network = NETWORKS[name]
        self.model, self.units = build(
            network,
            settings.budget,
            image_shape=self.test[0].shape[1:],
            classes=DIGITS + settings.position_cells**2,
            depth=depth,
            filters=settings.filters,
            strides=[2] + [1] * (depth - 1),
            classifier_activation=None,
        )
        self.model.compile(keras.optimizers.Adam(), digit_and_position_loss)
        probe = [each[: settings.probe_records] for each in self.validation]
        every = settings.steps // settings.measures
        self.monitors = {
            "gradient": callbacks.GradientMonitor(*probe, frequency=every)
        }
        if network.mechanism is not None:
            self.monitors["contribution"] = callbacks.AttentionMonitor(
                probe[0], quantity="contribution", frequency=every
            )
        if network.mechanism in ("static", "self"):
            self.monitors["attention"] = callbacks.AttentionMonitor(
                probe[0], frequency=every
            )

    def best_rate(self):
        """The learning rate of the lowest mean loss on validation records."""
        settings = self.settings
        if len(settings.learning_rates) == 1:
            return settings.learning_rates[0]

        def loss(rate, seed):
            self._fit(self._restart(seed, rate)[: settings.rate_steps])
            images, labels = self.validation
            logits = self.model.predict(images, batch_size=500, verbose=0)
            losses = digit_and_position_loss(labels, logits)
            return np.mean(keras.ops.convert_to_numpy(losses))

        means = [
            np.mean([loss(rate, seed) for seed in settings.rate_seeds])
            for rate in settings.learning_rates
        ]
        # One that diverges is never the best.
        best = np.argmin(np.nan_to_num(means, nan=np.inf))
        return settings.learning_rates[best]

    def run(self, seed, rate):
        settings = self.settings
        batches = self._restart(seed, rate)
        for monitor in self.monitors.values():
            monitor.reset()
        self._fit(batches, self.monitors.values())
        both, digit, position = self._accuracies()
        corrupted = self._corrupted(seed)
        _add_noise(self.model, self.depth, seed)
        seconds = []
        for index in range(settings.recovery_rounds):
            started = time.perf_counter()
            start = index * settings.round_steps
            self._fit(batches[start : start + settings.round_steps])
            seconds.append(time.perf_counter() - started)
        return Run(
            network=self.name,
            depth=self.depth,
            seed=seed,
            units=self.units,
            parameters=self.model.count_params(),
            learning_rate=rate,
            step_milliseconds=1e3 * min(seconds) / settings.round_steps,
            seconds=0.0,
            accuracy=both,
            digit_accuracy=digit,
            position_accuracy=position,
            corrupted=corrupted,
            recovered=self._accuracies()[0],
            steps=self.monitors["gradient"].steps.tolist(),
            **{
                name: _values(name, monitor, self.depth)
                for name, monitor in self.monitors.items()
            },
        )

    def _restart(self, seed, rate):
        """New weights, a new optimizer, and the order of the records.

        Returns:
            Array of shape (steps, batch size), the records of each step.
        """
        keras.utils.set_random_seed(seed)
        model = self.model
        model.set_weights(keras.models.clone_model(model).get_weights())
        for variable in model.optimizer.variables:
            variable.assign(np.zeros(variable.shape))
        model.optimizer.learning_rate = rate
        order = np.random.default_rng(seed).permutation(len(self.train_data[0]))
        return order.reshape(-1, self.settings.batch_size)

    def _fit(self, batches, monitors=()):
        self.model.fit(
            *(each[batches.ravel()] for each in self.train_data),
            batch_size=self.settings.batch_size,
            shuffle=False,
            verbose=0,
            callbacks=list(monitors),
        )

    def _accuracies(self):
        images, labels = self.test
        predicted = self.model.predict(images, batch_size=500, verbose=0)
        right = np.stack(
            [
                predicted[:, :DIGITS].argmax(-1) == labels[:, 0],
                predicted[:, DIGITS:].argmax(-1) == labels[:, 1],
            ]
        )
        both, (digit, position) = right.all(0).mean(), right.mean(1)
        return float(both), float(digit), float(position)

    def _corrupted(self, seed):
        """Accuracy with each convolution in turn set to noise."""
        trained = self.model.get_weights()
        found = []
        for layer in range(1, self.depth + 1):
            _add_noise(self.model, layer, seed)
            found.append(self._accuracies()[0])
            self.model.set_weights(trained)
        return found


@functools.cache
def _load(split, settings):
    images, labels = placed_digits.load(
        "both",
        split,
        canvas_size=settings.canvas_size,
        distractors=settings.distractors,
        position_cells=settings.position_cells,
        # So many that none is seen twice.
        train_records=settings.steps * settings.batch_size,
    )
    cells = settings.position_cells**2
    return images, np.stack([labels // cells, labels % cells], axis=-1)


def _values(name, monitor, depth):
    values = monitor.values
    if name == "gradient":
        columns = [
            monitor.layers.index(f"convolution_{index + 1}")
            for index in range(depth)
        ]
        values = values[:, columns]
    # Six digits: the table would be three times as large.
    return [[float(f"{value:.6g}") for value in row] for row in values]


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
