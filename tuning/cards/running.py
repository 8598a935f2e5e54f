"""Asking a layer: one job trains it on the questions of a group."""

import dataclasses
import random
import time

import keras
import numpy as np
from keras import ops

from tuning.cards.asking import Group
from tuning.cards.asking import Settings
from tuning.cards.subjects import Subject
from tuning.population.population import Population

# Parameters of a member up to which members are faster together.
TINY = 2_000
# Steps of a turn in which a layer is timed, and turns.
TIMED_STEPS, TURNS, TIMED_WIDTH = 100, 7, 128


@dataclasses.dataclass(frozen=True)
class Job:
    """A group of questions to a layer, or, without a group, its step's time.

    Attributes:
        subject: The layer.
        group: The questions, or None.
        settings: How much is asked.
        deadline: The `time.monotonic()` at which training stops.
    """

    subject: Subject
    group: Group | None
    settings: Settings
    deadline: float

    @property
    def steps(self):
        """Steps of all members together, for the display of progress."""
        if self.group is None:
            return 0
        members = self.group.members(self.settings)
        return members * self.group.steps(self.settings)


@dataclasses.dataclass(frozen=True)
class _Sizes:
    """All that a network has to know of a problem."""

    input_shapes: tuple
    units: int


def build(subject, group, x, units, seed=0):
    """Returns the model of a layer for a group's inputs, not compiled."""
    # Keras draws the seeds of initializers from Python's generator.
    random.seed(seed)
    shapes = [each.shape[1:] for each in keras.tree.flatten(x)]
    network = subject.network(_Sizes(shapes, units))
    activation = group.activation if group else "linear"
    return network.model(group.depth if group else 1, activation)


def _compiled(model, loss):
    model.compile(keras.optimizers.Adam(), loss=loss)
    return model


def run_job(job, send):
    """Runs a job, and sends what becomes known.

    That is `("steps", count)`, `("answers", rows)` and `("cost", row)`.
    """
    if job.group is None:
        send("cost", measure_cost(job))
    else:
        send("answers", ask(job, send))


def ask(job, send):
    """Trains a layer on the questions of a group and tests it.

    Each question is learned at every learning rate from every seed. For each
    seed, the test records are used once: with the weights of the rate and the
    moment that had the lowest validation loss.

    Returns:
        A dictionary for each question.
    """
    group, settings = job.group, job.settings
    x, labels = group.records(settings, "train")
    units = 16 if group.kind == "images" else labels[0].shape[1]
    seeds, rates = range(settings.seeds), settings.learning_rates
    models = [
        _compiled(build(job.subject, group, x, units, seed), group.loss)
        for seed in seeds
    ]
    members = [
        (task, seed, rate)
        for task in range(len(group.tasks))
        for seed in seeds
        for rate in rates
    ]
    best = _train(job, models, members, (x, labels), send)
    answers = []
    for test in dict.fromkeys(test for _, test in group.questions()):
        x_test, y_test = group.records(settings, test)
        constants = group.constants(settings, test)
        for task, name in enumerate(group.tasks):
            found = []
            for seed in seeds:
                mine = [
                    best[i]
                    for i, each in enumerate(members)
                    if each[:2] == (task, seed)
                ]
                chosen = min(mine, key=lambda each: each.loss)
                accuracy = 0.0
                if chosen.weights is not None:
                    models[seed].set_weights(chosen.weights)
                    accuracy = group.accuracy(
                        _predict(models[seed], x_test),
                        y_test[task],
                        labels[task],
                    )
                constant = constants[task]
                found.append(
                    {
                        "skill": (accuracy - constant) / (1 - constant),
                        "accuracy": accuracy,
                        "learning_rate": chosen.rate,
                        "steps": chosen.steps,
                    }
                )
            answers.append(
                {
                    "question": group.questions()[name, test].key,
                    "constant": constants[task],
                    # No worse than the constant: one seed that fails does
                    # not outweigh those that succeed.
                    "skill": float(
                        np.mean([max(each["skill"], 0) for each in found])
                    ),
                    "steps": max(each.taken for each in best),
                    "seeds": found,
                }
            )
    return answers


@dataclasses.dataclass
class _Best:
    """The best moment of a member, by validation loss."""

    rate: float
    loss: float = np.inf
    weights: list | None = None
    steps: int = 0
    taken: int = 0


def _train(job, models, members, records, send):
    """Trains all members as one population; returns the `_Best` of each."""
    group, settings = job.group, job.settings
    best = [_Best(rate) for _, _, rate in members]
    if not models[0].trainable_variables:
        # There is nothing to train.
        for mine, (_, seed, _) in zip(best, members, strict=True):
            mine.loss, mine.weights = 0.0, models[seed].get_weights()
            mine.taken = group.steps(settings)
        send("steps", job.steps)
        return best
    population = Population(
        [models[seed] for _, seed, _ in members],
        learning_rates=[rate for _, _, rate in members],
        vectorize=_is_tiny(models[0]) or None,
    )
    reported = 0
    per_check = group.steps(settings) // settings.checks

    def check(epoch, logs):
        nonlocal reported
        for i, (mine, loss) in enumerate(
            zip(best, logs["val_loss"], strict=True)
        ):
            mine.taken = per_check * (epoch + 1)
            if loss < mine.loss:
                mine.loss, mine.steps = float(loss), int(population.steps[i])
                mine.weights = population.member_weights(i)
        done = per_check * (epoch + 1) * len(members)
        send("steps", done - reported)
        reported = done
        if time.monotonic() > job.deadline:
            population.stop_training = True

    population.fit(
        *records,
        [task for task, _, _ in members],
        batch_size=settings.batch_size,
        epochs=settings.checks,
        steps_per_epoch=per_check,
        validation_data=group.records(settings, "validation"),
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=check)],
    )
    if not population.stop_training:
        # Also of members that diverged, there is no more to learn.
        for mine in best:
            mine.taken = group.steps(settings)
    send("steps", job.steps - reported)
    return best


def _is_tiny(model):
    """Whether members are faster together, on a processor too."""
    return model.count_params() <= TINY


def _predict(model, x):
    """Returns the predictions of all records."""
    count, parts = len(keras.tree.flatten(x)[0]), []
    for start in range(0, count, 500):
        some = keras.tree.map_structure(
            lambda each, start=start: each[start : start + 500], x
        )
        parts.append(ops.convert_to_numpy(model(some, training=False)))
    return np.concatenate(parts)


def measure_cost(job):
    """Times a layer's training step in turns with that of Keras's own.

    Returns:
        A dictionary: `step_time`, the ratio of the medians, and both numbers
        of parameters.
    """
    subject, settings = job.subject, job.settings
    images = subject.kind == "images"
    rng = np.random.default_rng(0)
    records = settings.batch_size * 8
    if images:
        rival = Subject("Conv2D", keras.layers.Conv2D)
        group = Group("", "images", "linear", ())
        x = rng.random((records, 20, 20, 1), np.float32)
        y, units = rng.integers(16, size=records).astype("int32"), 16
    else:
        rival, group = Subject("Dense", keras.layers.Dense), None
        shape = (records, TIMED_WIDTH)
        x = [rng.random(shape, np.float32) for _ in range(2)]
        y, units = x[0] * x[1], TIMED_WIDTH
    loss = group.loss if group else "mse"
    both = [
        _compiled(build(each, group, x, units), loss)
        for each in (subject, rival)
    ]
    row = {
        "parameters": both[0].count_params(),
        "rival": rival.name,
        "rival_parameters": both[1].count_params(),
    }
    if not both[0].trainable_variables:
        return row
    populations = [Population([each]) for each in both]
    steps = TIMED_STEPS // (10 if images else 1)
    times = [[], []]
    for turn in range(TURNS + 1):
        for mine, population in zip(times, populations, strict=True):
            started = time.perf_counter()
            population.fit(
                x, y, batch_size=settings.batch_size, steps_per_epoch=steps
            )
            # The first turn compiles.
            if turn:
                mine.append(time.perf_counter() - started)
        if time.monotonic() > job.deadline and turn:
            break
    mine, rivals = (float(np.median(each)) for each in times)
    return {**row, "step_time": mine / rivals, "turns": len(times[0])}
