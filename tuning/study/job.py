"""A part of a study that runs in one process, from search to test."""

import collections
import dataclasses
import functools
import os
import pathlib
import platform
import re
import time
import traceback

import keras
import keras_tuner
import numpy as np

from tuning.networks.registry import find_network
from tuning.population.batches import Batches
from tuning.population.loops import backend_loops
from tuning.population.population import Population
from tuning.population.population import warn_out_of_memory
from tuning.problems.data import DataSettings
from tuning.problems.registry import open_problem
from tuning.study.cells import choices_of
from tuning.study.cells import count_steps
from tuning.study.files import as_file_name
from tuning.study.protocol import Protocol
from tuning.study.rows import Cell
from tuning.study.rows import Result
from tuning.study.rows import Status
from tuning.study.rows import Trial
from tuning.study.saving import candidate_path
from tuning.study.saving import save_model
from tuning.tuner.population_tuner import WORST
from tuning.tuner.population_tuner import PopulationTuner


@dataclasses.dataclass(frozen=True)
class Job:
    """Cells that share inputs, network and activation.

    Attributes:
        cells: Tuple of `Cell`s.
        protocol: The training procedure.
        data: The records.
        directory: Where KerasTuner, and candidates for saving, write.
        one_by_one: Whether to train with stock KerasTuner and Keras, one
            trial after the other.
        save: Whether to keep every cell's trained model.
    """

    cells: tuple[Cell, ...]
    protocol: Protocol
    data: DataSettings
    directory: str
    one_by_one: bool = False
    save: bool = False

    @property
    def name(self):
        first = self.cells[0]
        tasks_here = sorted({cell.task for cell in self.cells})
        return as_file_name(
            f"{'+'.join(tasks_here[:3])}_{first.inputs}_{first.network}"
            f"_{first.activation}_{first.seed}"
        )

    @property
    def steps(self):
        """Optimizer steps, at most, of all members together."""
        return sum(count_steps(cell, self.protocol) for cell in self.cells)


def run_job(job, send):
    """Searches, trains and tests the cells of a job.

    Args:
        job: A `Job`.
        send: Called as `send(kind, content)` with what becomes known:
            `("trials", rows)`, `("result", row)` and `("steps", count)`.
    """
    started = time.perf_counter()
    best, messages = search_cells(job, send)
    search_seconds = (time.perf_counter() - started) / len(job.cells)
    for cell, message in messages.items():
        _send_failure(cell, message, send)
    together = collections.defaultdict(dict)
    for cell, hp in best.items():
        together[cell.depth, _choices(cell, hp)][cell] = hp
    for cells in together.values():
        try:
            train_cells(job, cells, search_seconds, send)
        except Exception:
            for cell in cells:
                _send_failure(cell, traceback.format_exc(), send)


class TaskModel(keras_tuner.HyperModel):
    """A network whose task is one of its hyperparameters.

    Args:
        job: A `Job`.
    """

    def __init__(self, job):
        super().__init__()
        self.tasks = sorted({cell.task for cell in job.cells})
        self.problems = [
            open_problem(
                task, job.cells[0].inputs, job.data, job.protocol.tolerance
            )
            for task in self.tasks
        ]
        self.network = find_network(job.cells[0].network)(self.problems[0])

    def build(self, hp):
        return self.network.build(hp)

    def label(self, hp):
        """Returns which of the label functions a trial learns."""
        return self.tasks.index(hp.get("task"))

    def x(self, split):
        """Returns the inputs, which all tasks share."""
        return self.problems[0].x(split)

    def labels(self, split):
        """Returns the labels, in the order that `label` refers to."""
        return [problem.label(split) for problem in self.problems]

    def records(self, split):
        """Returns all inputs of a split, and the labels, as arrays."""
        x = keras.tree.map_structure(lambda each: each[:], self.x(split))
        inputs = x if isinstance(x, list) else [x]
        return x, [
            label(*inputs) if callable(label) else label
            for label in self.labels(split)
        ]


def hyperparameters(**values):
    """Returns hyperparameters with fixed values, or lists to choose from."""
    hp = keras_tuner.HyperParameters()
    for name, value in values.items():
        if isinstance(value, (list, tuple)):
            hp.Choice(name, list(value))
        else:
            hp.Fixed(name, value)
    return hp


def search_cells(job, send):
    """Searches what is best for each cell.

    Returns:
        The hyperparameters of the best trial of each cell, and for each cell
        of which all trials failed a message.
    """
    protocol = job.protocol
    model = TaskModel(job)
    oracle = keras_tuner.oracles.GridSearchOracle(
        objective=keras_tuner.Objective("val_loss", "min"),
        hyperparameters=hyperparameters(
            task=model.tasks,
            depth=sorted({cell.depth for cell in job.cells}),
            activation=job.cells[0].activation,
            seed=sorted({cell.seed for cell in job.cells}),
            learning_rate=protocol.learning_rates,
            **choices_of(job.cells[0]),
        ),
        # A failed trial is a row, and never the end of the search.
        max_consecutive_failed_trials=10**9,
    )
    best, losses, messages = {}, {}, {}

    def trial_ended(trial):
        row = _trial_row(trial, job)
        cell = row.cell
        if cell not in job.cells:
            return
        send("trials", [row])
        send("steps", protocol.search_steps)
        if row.status == Status.FAILED:
            messages.setdefault(cell, row.message)
        elif row.loss < losses.get(cell, np.inf):
            best[cell], losses[cell] = trial.hyperparameters, row.loss

    tuner_class = _OneByOne if job.one_by_one else _Together
    tuner = tuner_class(
        report=trial_ended,
        oracle=oracle,
        hypermodel=model,
        directory=os.path.join(job.directory, "tuner"),
        project_name=job.name,
        # What is there already is of a job that was not finished.
        overwrite=True,
    )
    tuner.search(
        model.x("train"),
        model.labels("train"),
        batch_size=protocol.batch_size,
        steps_per_epoch=protocol.search_steps,
        validation_data=model.records("validation"),
        verbose=0,
    )
    return best, {
        cell: message for cell, message in messages.items() if cell not in best
    }


class _Reporting:
    """A tuner that calls `report` with each trial that has ended."""

    def __init__(self, report, **kwargs):
        super().__init__(**kwargs)
        self.report = report

    def on_trial_end(self, trial):
        super().on_trial_end(trial)
        self.report(self.oracle.get_trial(trial.trial_id))


class _Together(_Reporting, PopulationTuner):
    """Trains trials of one architecture together, without checkpoints."""

    def __init__(self, **kwargs):
        super().__init__(save_checkpoints=False, **kwargs)


class _OneByOne(_Reporting, keras_tuner.Tuner):
    """The stock tuner, given what it needs to do the same."""

    def run_trial(self, trial, x, y, *, steps_per_epoch, **kwargs):
        label = self.hypermodel.label(trial.hyperparameters)
        batches = Batches(x, y[label], kwargs["batch_size"])
        x, (y,) = batches.next(steps_per_epoch)
        x_val, y_val = kwargs.pop("validation_data")
        histories = super().run_trial(
            trial,
            [_records_of(each) for each in x],
            _records_of(y),
            shuffle=False,
            validation_data=(x_val, y_val[label]),
            **kwargs,
        )
        return {
            name: values[-1] if np.isfinite(values[-1]) else WORST
            for name, values in histories[0].history.items()
        }


def _records_of(batches):
    return batches.reshape(-1, *batches.shape[2:])


def train_cells(job, best, search_seconds, send):
    """Trains cells of one architecture from scratch and tests them.

    Args:
        job: The `Job` they belong to.
        best: Dictionary of the cells and their hyperparameters.
        search_seconds: The seconds that the search of each cell took.
        send: As for `run_job`.
    """
    started = time.perf_counter()
    model = TaskModel(job)
    cells = list(best)
    members = [model.build(hp) for hp in best.values()]
    train = _train_one_by_one if job.one_by_one else _train_together
    weights, steps, scores = train(job, model, cells, members, send)
    seconds = (time.perf_counter() - started) / len(cells) + search_seconds
    for i, (cell, hp) in enumerate(best.items()):
        problem = model.problems[model.label(hp)]
        constant, trivial = _judge_constant(problem)
        mine = {name: float(values[i]) for name, values in scores.items()}
        accuracy, loss = mine["accuracy"], mine["loss"]
        success = problem.succeeded(mine)
        row = Result.of(
            cell,
            accuracy=accuracy,
            loss=loss,
            constant_accuracy=constant,
            skill=(accuracy - constant) / (1 - constant)
            if constant < 1
            else None,
            success=None if success is None else int(success),
            learning_rate=hp.get("learning_rate"),
            choices=_choices(cell, hp),
            steps=int(steps[i]),
            seconds=seconds,
            parameters=members[i].count_params(),
            backend=keras.config.backend(),
            device=device_name(),
            status=Status.TRIVIAL if trivial else Status.DONE,
            message="" if np.isfinite(loss) else "the loss is not finite",
        )
        if job.save:
            save_model(
                candidate_path(job.directory, cell),
                members[i],
                weights(i),
                row,
                keras.tree.map_structure(lambda x: x[:2], problem.x("test")),
            )
        send("result", row)


@functools.lru_cache(maxsize=64)
def _judge_constant(problem):
    return problem.constant()


def _choices(cell, hp):
    """Returns what was chosen beside the learning rate, in words."""
    return " ".join(f"{name}={hp.get(name)}" for name in choices_of(cell))


def _train_together(job, model, cells, members, send):
    """Returns members' weights, steps and test scores, as populations."""
    try:
        return _train_population(job, model, cells, members, send)
    except Exception as error:
        if len(cells) == 1 or not backend_loops().is_out_of_memory(error):
            raise
        # Its traceback holds on to the memory.
        error.__traceback__ = None
    half = len(cells) // 2
    warn_out_of_memory(len(cells), half)
    parts = [
        _train_together(job, model, cells[part], members[part], send)
        for part in (slice(half), slice(half, None))
    ]
    (first, *_), (second, *_) = parts
    return (
        lambda i: first(i) if i < half else second(i - half),
        np.concatenate([steps for _, steps, _ in parts]),
        {
            name: np.concatenate([scores[name] for *_, scores in parts])
            for name in parts[0][2]
        },
    )


def _train_population(job, model, cells, members, send):
    protocol = job.protocol
    population = Population(members)
    labels = [model.tasks.index(cell.task) for cell in cells]
    reported = 0

    def report(epoch, logs):
        nonlocal reported
        taken = int(population.steps.sum())
        send("steps", taken - reported)
        reported = taken

    population.fit(
        model.x("train"),
        model.labels("train"),
        labels=labels,
        batch_size=protocol.batch_size,
        epochs=protocol.train_epochs,
        steps_per_epoch=protocol.check_steps,
        validation_data=model.records("validation"),
        # Tasks that are trained together have one goal.
        **model.problems[0].goal(protocol.target),
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=report)],
    )
    # Members that stopped early are done with the steps they were given.
    send("steps", protocol.train_steps * len(cells) - reported)
    scores = population.evaluate(*model.records("test"), labels=labels)
    return population.member_weights, population.steps, scores


def _train_one_by_one(job, model, cells, members, send):
    """The same with Keras's own `fit`, one member after the other."""
    protocol = job.protocol
    x = model.x("train")
    steps, scores = [], collections.defaultdict(list)
    for cell, member in zip(cells, members, strict=True):
        label = model.tasks.index(cell.task)
        y = model.labels("train")[label]
        goal = model.problems[label].goal(protocol.target)
        batches = Batches(x, y, protocol.batch_size)
        x_val, y_val = model.records("validation")
        for _ in range(protocol.train_epochs):
            now, (y,) = batches.next(protocol.check_steps)
            member.fit(
                [_records_of(each) for each in now],
                _records_of(y),
                batch_size=protocol.batch_size,
                shuffle=False,
                verbose=0,
            )
            logs = member.evaluate(
                x_val, y_val[label], 1000, verbose=0, return_dict=True
            )
            if _is_reached(goal, logs):
                break
        send("steps", protocol.train_steps)
        x_test, y_test = model.records("test")
        logs = member.evaluate(
            x_test, y_test[label], 1000, verbose=0, return_dict=True
        )
        steps.append(int(member.optimizer.iterations))
        for name, value in logs.items():
            scores[name].append(value)
    return lambda i: members[i].get_weights(), steps, scores


def _is_reached(goal, logs):
    value = logs[goal["monitor"].removeprefix("val_")]
    if goal["mode"] == "max":
        return value >= goal["target"]
    return value <= goal["target"]


def _trial_row(trial, job):
    hp = trial.hyperparameters
    first = job.cells[0]
    row = Trial(
        task=hp.get("task"),
        inputs=first.inputs,
        network=first.network,
        depth=hp.get("depth"),
        activation=hp.get("activation"),
        seed=hp.get("seed"),
        learning_rate=hp.get("learning_rate"),
        choices=_choices(first, hp),
        steps=job.protocol.search_steps,
        status=Status.FAILED,
        message=_last(trial.message),
    )
    if trial.status != "COMPLETED":
        return row

    def value(name):
        return float(np.mean(trial.metrics.get_history(name)[0].value))

    loss = value("val_loss")
    return dataclasses.replace(
        row,
        accuracy=value("val_accuracy"),
        loss=loss,
        status=Status.DIVERGED if loss >= WORST else Status.DONE,
        message="",
    )


def _send_failure(cell, message, send):
    row = Result.of(cell, status=Status.FAILED, message=_last(message))
    send("result", row)


def _last(message):
    """Returns the last line of a traceback."""
    lines = (message or "no message").strip().splitlines()
    return lines[-1]


@functools.cache
def device_name():
    """Returns the name of the accelerator, or of the processor."""
    name = backend_loops().accelerator_name()
    if name is None:
        try:
            information = pathlib.Path("/proc/cpuinfo").read_text()
            name = re.search(r"model name\s*:\s*(.*)", information).group(1)
        except (OSError, AttributeError):
            name = platform.processor() or platform.machine()
    return name
