"""The search of a job: a trial of every learning rate, for every cell."""

import dataclasses
import os

import keras_tuner
import numpy as np

from tuning.study.cells import choices_of
from tuning.study.failures import summarize
from tuning.study.model import TaskModel
from tuning.study.model import chosen
from tuning.study.model import hyperparameters
from tuning.study.rows import Status
from tuning.study.rows import Trial
from tuning.tuner.population_tuner import WORST
from tuning.tuner.population_tuner import PopulationTuner


def search_cells(job, send, tuner_class=None):
    """Searches what is best for each cell.

    Args:
        job: A `Job`.
        send: As for `run_job`.
        tuner_class: The tuner, a subclass of `Reporting`. Default: one that
            trains trials together.

    Returns:
        The hyperparameters of the best trial of each cell, and a message for
        each cell whose trials all failed.
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
        cell, message = row.cell, trial.message
        if cell not in job.cells:
            return
        send("trials", [row])
        send("steps", protocol.search_steps)
        if row.status == Status.FAILED:
            send("failure", (f"{cell}, rate {row.learning_rate:g}", message))
            messages.setdefault(cell, row.message)
        elif row.loss < losses.get(cell, np.inf):
            best[cell], losses[cell] = trial.hyperparameters, row.loss

    tuner = (tuner_class or _Together)(
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


class Reporting:
    """A tuner that calls `report` with each trial that has ended."""

    def __init__(self, report, **kwargs):
        super().__init__(**kwargs)
        self.report = report

    def on_trial_end(self, trial):
        super().on_trial_end(trial)
        self.report(self.oracle.get_trial(trial.trial_id))


class _Together(Reporting, PopulationTuner):
    """Trains trials of one architecture together, without checkpoints."""

    def __init__(self, **kwargs):
        super().__init__(save_checkpoints=False, **kwargs)


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
        choices=chosen(first, hp),
        steps=job.protocol.search_steps,
        status=Status.FAILED,
        message=summarize(trial.message),
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
