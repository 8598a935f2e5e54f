"""A part of a study that runs in one process, from search to test."""

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

import tasks
from tuning.batches import Batches
from tuning.cells import Cell
from tuning.data import DataSettings
from tuning.data import constant_accuracy
from tuning.data import open_inputs
from tuning.loops import backend_loops
from tuning.networks import find_network
from tuning.population import Population
from tuning.population import warn_out_of_memory
from tuning.protocol import Protocol
from tuning.saving import candidate_path
from tuning.saving import save_model
from tuning.tuner import WORST
from tuning.tuner import PopulationTuner


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
        network = first.network.replace(":", ".")
        return (
            f"{'+'.join(tasks_here[:3])}_{first.inputs}_{network}"
            f"_{first.activation}_{first.seed}"
        )

    @property
    def steps(self):
        """Optimizer steps, at most, of all members together."""
        return len(self.cells) * self.protocol.steps


def run_job(job, send):
    """Searches, trains and tests the cells of a job.

    Args:
        job: A `Job`.
        send: Called as `send(kind, content)` with what becomes known:
            `("trials", rows)`, `("result", row)` and `("steps", count)`.
    """
    started = time.perf_counter()
    best = search_cells(job, send)
    search_seconds = time.perf_counter() - started
    for depth in sorted({cell.depth for cell in job.cells}):
        cells = [cell for cell in job.cells if cell.depth == depth]
        failed = [cell for cell in cells if "message" in best[cell]]
        for cell in failed:
            _send_failure(cell, best[cell]["message"], send)
        cells = [cell for cell in cells if cell not in failed]
        if cells:
            share = search_seconds / len(job.cells)
            try:
                train_cells(job, cells, best, share, send)
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
        width = job.data.width
        self.network = find_network(job.cells[0].network)(
            width=width,
            units=tasks.OPERATIONS[self.tasks[0]].label_width(width),
            tolerance=job.protocol.tolerance,
        )

    def build(self, hp):
        return self.network.build(hp)

    def label(self, hp):
        """Returns which of the label functions a trial learns."""
        return self.tasks.index(hp.get("task"))

    @property
    def labels(self):
        """The label functions, in the order that `label` refers to."""
        return [tasks.OPERATIONS[task].label for task in self.tasks]


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
    """Returns the best learning rate of each cell, or a message of why not."""
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
        ),
        # A failed trial is a row, and never the end of the search.
        max_consecutive_failed_trials=10**9,
    )
    best = {}

    def trial_ended(trial):
        row = _trial_row(trial, job)
        cell = Cell.of_row(row)
        if cell not in job.cells:
            return
        send("trials", [row])
        send("steps", protocol.search_steps)
        known = best.setdefault(cell, {"message": row["message"]})
        if row["status"] != "failed" and (
            "loss" not in known or row["loss"] < known["loss"]
        ):
            best[cell] = {key: row[key] for key in ("learning_rate", "loss")}

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
        open_inputs(job.data, job.cells[0].inputs, "train"),
        model.labels,
        batch_size=protocol.batch_size,
        steps_per_epoch=protocol.search_steps,
        validation_data=_records(job, model, "validation"),
        verbose=0,
    )
    return best


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


def _records(job, model, split):
    """Returns all records of a split, with the label of each task."""
    a, b = open_inputs(job.data, job.cells[0].inputs, split)
    a, b = a[:], b[:]
    return [a, b], [label(a, b) for label in model.labels]


def train_cells(job, cells, best, search_seconds, send):
    """Trains cells of one depth from scratch and tests them."""
    started = time.perf_counter()
    model = TaskModel(job)
    rates = [best[cell]["learning_rate"] for cell in cells]
    members = [
        model.build(
            hyperparameters(
                task=cell.task,
                depth=cell.depth,
                activation=cell.activation,
                seed=cell.seed,
                learning_rate=rate,
            )
        )
        for cell, rate in zip(cells, rates, strict=True)
    ]
    train = _train_one_by_one if job.one_by_one else _train_together
    weights, steps, scores = train(job, model, cells, members, send)
    seconds = (time.perf_counter() - started) / len(cells) + search_seconds
    for i, cell in enumerate(cells):
        constant, trivial = constant_accuracy(
            job.data, cell.inputs, cell.task, job.protocol.tolerance
        )
        accuracy = float(scores["accuracy"][i])
        finite = np.isfinite(scores["loss"][i])
        row = {
            **cell.row(),
            "accuracy": accuracy,
            "loss": float(scores["loss"][i]),
            "constant_accuracy": constant,
            "skill": (accuracy - constant) / (1 - constant)
            if constant < 1
            else "",
            "learning_rate": rates[i],
            "steps": int(steps[i]),
            "seconds": seconds,
            "parameters": members[i].count_params(),
            "backend": keras.config.backend(),
            "device": device_name(),
            "status": "trivial" if trivial else "done",
            "message": "" if finite else "the loss is not finite",
        }
        if job.save:
            a, b = open_inputs(job.data, cell.inputs, "test")
            save_model(
                candidate_path(job.directory, cell),
                members[i],
                weights(i),
                row,
                [a[:2], b[:2]],
            )
        send("result", row)


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
            for name in ("loss", "accuracy")
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
        open_inputs(job.data, cells[0].inputs, "train"),
        model.labels,
        labels=labels,
        batch_size=protocol.batch_size,
        epochs=protocol.train_epochs,
        steps_per_epoch=protocol.check_steps,
        validation_data=_records(job, model, "validation"),
        monitor="val_accuracy",
        target=protocol.target,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=report)],
    )
    # Members that stopped early are done with the steps they were given.
    send("steps", protocol.train_steps * len(cells) - reported)
    scores = population.evaluate(*_records(job, model, "test"), labels=labels)
    return population.member_weights, population.steps, scores


def _train_one_by_one(job, model, cells, members, send):
    """The same with Keras's own `fit`, one member after the other."""
    protocol = job.protocol
    x = open_inputs(job.data, cells[0].inputs, "train")
    steps, scores = [], {"loss": [], "accuracy": []}
    for cell, member in zip(cells, members, strict=True):
        label = model.tasks.index(cell.task)
        batches = Batches(x, model.labels[label], protocol.batch_size)
        x_val, y_val = _records(job, model, "validation")
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
            if logs["accuracy"] >= protocol.target:
                break
        send("steps", protocol.train_steps)
        x_test, y_test = _records(job, model, "test")
        logs = member.evaluate(
            x_test, y_test[label], 1000, verbose=0, return_dict=True
        )
        steps.append(int(member.optimizer.iterations))
        for name, values in scores.items():
            values.append(logs[name])
    return lambda i: members[i].get_weights(), steps, scores


def _trial_row(trial, job):
    values = trial.hyperparameters.values
    row = {
        "task": values["task"],
        "inputs": job.cells[0].inputs,
        "network": job.cells[0].network,
        "depth": values["depth"],
        "activation": values["activation"],
        "seed": values["seed"],
        "learning_rate": values["learning_rate"],
        "steps": job.protocol.search_steps,
        "status": "done",
        "message": "",
    }
    if trial.status != "COMPLETED":
        return {**row, "status": "failed", "message": _last(trial.message)}

    def value(name):
        return float(np.mean(trial.metrics.get_history(name)[0].value))

    row["accuracy"], row["loss"] = value("val_accuracy"), value("val_loss")
    if row["loss"] >= WORST:
        row["status"] = "diverged"
    return row


def _send_failure(cell, message, send):
    row = {"status": "failed", "message": _last(message)}
    send("result", {**cell.row(), **row})


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
