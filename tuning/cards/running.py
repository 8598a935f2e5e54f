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
from tuning.population.loops import backend_loops
from tuning.population.population import Population

# Parameters of a member up to which members are faster together.
TINY = 2_000
# Steps of a turn in which a layer is timed, and turns.
TIMED_STEPS, TIMED_WIDTH = 50, 128
# Turns of a few milliseconds differ by a tenth, the median of these by a
# fiftieth. A layer that is slow takes fewer.
TURNS, LEAST_TURNS, TIMED_SECONDS = 30, 7, 3


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

    From the first seed each question is learned at every learning rate. The
    validation loss chooses one, at which the other seeds learn it. For each
    seed the test records are used once, with the weights of the moment that
    had the lowest validation loss.

    Returns:
        A dictionary for each question. Where the time was too short for the
        other seeds, it is about the first alone.
    """
    group, settings = job.group, job.settings
    records = group.records(settings, "train")
    x, labels = records
    units = 16 if group.kind == "images" else labels[0].shape[1]
    models = [
        _compiled(build(job.subject, group, x, units, seed), group.loss)
        for seed in range(settings.seeds)
    ]
    tasks = range(len(group.tasks))
    first = [
        _Member(task, 0, rate)
        for task in tasks
        for rate in settings.learning_rates
    ]
    in_time = _train(job, models, first, records, len(first), send)
    best = [
        min((m for m in first if m.task == task), key=lambda m: m.loss)
        for task in tasks
    ]
    others = [
        _Member(each.task, seed, each.rate)
        for each in best
        for seed in range(1, settings.seeds)
    ]
    if others and in_time:
        if _train(job, models, others, records, len(first), send):
            best += others
    answers = []
    for test in dict.fromkeys(test for _, test in group.questions()):
        x_test, y_test = group.records(settings, test)
        constants = group.constants(settings, test)
        for task, name in enumerate(group.tasks):
            constant, found = constants[task], []
            for member in best:
                if member.task != task:
                    continue
                accuracy = 0.0
                if member.weights is not None:
                    model = models[member.seed]
                    model.set_weights(member.weights)
                    accuracy = group.accuracy(
                        _predict(model, x_test), y_test[task], labels[task]
                    )
                found.append(
                    {
                        "skill": (accuracy - constant) / (1 - constant),
                        "accuracy": accuracy,
                        "learning_rate": member.rate,
                        "steps": member.steps,
                    }
                )
            answers.append(
                {
                    "question": group.questions()[name, test].key,
                    "constant": constant,
                    # No worse than the constant: one seed that fails does
                    # not outweigh those that succeed.
                    "skill": float(
                        np.mean([max(each["skill"], 0) for each in found])
                    ),
                    "steps": max(each.taken for each in first),
                    "seeds": found,
                }
            )
    return answers


@dataclasses.dataclass
class _Member:
    """A training, and its best moment by validation loss.

    Attributes:
        task: Index of the question.
        seed: Index of the seed.
        rate: Learning rate.
        loss: The lowest validation loss.
        weights: Those that had it, or None before the first look.
        steps: How many steps it had taken by then.
        taken: How many it has taken.
    """

    task: int
    seed: int
    rate: float
    loss: float = np.inf
    weights: list | None = None
    steps: int = 0
    taken: int = 0


def _train(job, models, members, records, places, send):
    """Trains members as one population; returns whether there was time.

    Args:
        job: The `Job`.
        models: List of a model for each seed.
        members: List of `_Member`s, which are told their best moments.
        records: Training records.
        places: Integer, the members of the population at least: one program
            serves populations of one size.
        send: As for `run_job`.
    """
    group, settings = job.group, job.settings
    full = group.steps(settings)
    if not models[0].trainable_variables:
        # There is nothing to train.
        for each in members:
            each.loss, each.weights = 0.0, models[each.seed].get_weights()
            each.taken = full
        send("steps", full * len(members))
        return True
    together = _is_tiny(models[0])
    idle = max(places - len(members), 0) if together else 0
    seated = [*members, *members[:1] * idle]
    population = Population(
        [models[each.seed] for each in seated],
        learning_rates=[each.rate for each in seated],
        vectorize=together or None,
    )
    population.reached[len(members) :] = True
    per_check, sent = full // settings.checks, 0

    def check(epoch, logs):
        nonlocal sent
        for i, (each, loss) in enumerate(
            zip(members, logs["val_loss"], strict=False)
        ):
            each.taken = per_check * (epoch + 1)
            if loss < each.loss:
                each.loss, each.steps = float(loss), int(population.steps[i])
                each.weights = population.member_weights(i)
        done = per_check * (epoch + 1) * len(members)
        send("steps", done - sent)
        sent = done
        is_last = epoch + 1 == settings.checks
        if time.monotonic() > job.deadline and not is_last:
            population.stop_training = True

    population.fit(
        *records,
        [each.task for each in seated],
        batch_size=settings.batch_size,
        epochs=settings.checks,
        steps_per_epoch=per_check,
        validation_data=group.records(settings, "validation"),
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=check)],
        **group.goal(records[1][0]),
    )
    if not population.stop_training:
        # Those that diverged, or learned it, have no more to learn.
        for each in members:
            each.taken = full
    send("steps", full * len(members) - sent)
    return not population.stop_training


def _is_tiny(model):
    """Whether members are faster together, also on a processor."""
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

    What counts is the processor's time, which other work beside it hardly
    changes; on an accelerator, the time that passes.

    Returns:
        A dictionary: `step_time`, the median of the turns' ratios; and numbers
        of parameters, at the width that is timed, of the layer and of Keras's
        own, and at the width that is asked.
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
    asked = both[0]
    if not images:
        width = settings.width
        asked = build(subject, None, [each[:, :width] for each in x], width)
    row = {
        "parameters": both[0].count_params(),
        "rival": rival.name,
        "rival_parameters": both[1].count_params(),
        "asked_parameters": asked.count_params(),
    }
    if not both[0].trainable_variables:
        return row
    accelerated = backend_loops().is_accelerated()
    clock = time.perf_counter if accelerated else time.process_time
    populations = [Population([each]) for each in both]
    steps = TIMED_STEPS // (10 if images else 1)
    times = []
    for turn in range(TURNS + 1):
        pair = []
        for population in populations:
            started = clock()
            population.fit(
                x, y, batch_size=settings.batch_size, steps_per_epoch=steps
            )
            pair.append(clock() - started)
        # The first turn compiles.
        if not turn:
            enough = time.monotonic() + TIMED_SECONDS
            continue
        times.append(pair)
        now = time.monotonic()
        if now > job.deadline or (turn >= LEAST_TURNS and now > enough):
            break
    mine, rivals = np.transpose(times)
    ratio = float(np.median(mine / rivals))
    return {**row, "step_time": ratio, "turns": len(times)}
