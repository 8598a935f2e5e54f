"""The search of a job: a trial of every learning rate, for every cell."""

import collections
import dataclasses
import functools
import math

import keras_tuner
import numpy as np

from tuning.messages import summarize
from tuning.population.callbacks import CosineDecay
from tuning.population.population import Population
from tuning.study.cells import choices_of
from tuning.study.files import scratch
from tuning.study.model import TaskModel
from tuning.study.model import chosen
from tuning.study.model import hyperparameters
from tuning.study.one_by_one import search_one_by_one
from tuning.study.one_by_one import tell_one_by_one
from tuning.study.rows import Status
from tuning.study.rows import Trial
from tuning.tuner.population_tuner import PopulationTuner

# What a trial scores whose loss is not a number: finite, as KerasTuner gives
# up a search after a few trials without a score, and worse than all others.
WORST = float(np.finfo("float32").max)


@dataclasses.dataclass
class Found:
    """The best trials of cells so far, and messages of those that failed.

    Attributes:
        best: Dictionary of cells, and the values of their hyperparameters.
        losses: Dictionary of cells, and the losses of these.
        messages: Dictionary of cells with a failed trial, and its message.
        seconds: How long the trials took, all processors together.
    """

    best: dict = dataclasses.field(default_factory=dict)
    losses: dict = dataclasses.field(default_factory=dict)
    messages: dict = dataclasses.field(default_factory=dict)
    seconds: float = 0.0

    def add(self, cell, values, loss):
        if loss < self.losses.get(cell, np.inf):
            self.best[cell], self.losses[cell] = values, loss

    def merge(self, other):
        """Adds the results of other rates."""
        for cell, values in other.best.items():
            self.add(cell, values, other.losses[cell])
        self.messages = {**other.messages, **self.messages}
        self.seconds += other.seconds


def search_cells(job, send, tuner_class=None):
    """Searches the best hyperparameters of each cell.

    Args:
        job: A `Job`. One of some rates alone tries these; one that comes after
            such ones continues from what they found.
        send: As for `run_job`.
        tuner_class: The tuner, a subclass of `Reporting`. Default: one that
            trains trials together.

    Returns:
        A `Found`.
    """
    rates = job.rates or job.protocol.learning_rates
    found = job.found
    if found is None:
        found = Found()
        _try_rates(job, rates, found, send, tuner_class)
    if job.rates is not None:
        return found
    tried = {cell: list(rates) for cell in found.best}
    while further := _further(job.protocol, found.best, tried):
        for rate, cells in further.items():
            part = dataclasses.replace(job, cells=tuple(cells))
            _try_rates(part, (rate,), found, send, tuner_class)
            for cell in cells:
                tried[cell].append(rate)
    return found


def _further(protocol, best, tried):
    """Returns the cells that a further rate is to be tried for, by rate."""
    further = collections.defaultdict(list)
    for cell, values in best.items():
        rate = protocol.next_rate(tried[cell], values["learning_rate"])
        if rate is not None:
            further[rate].append(cell)
    return further


def _try_rates(job, rates, found, send, tuner_class):
    """Runs a trial of each rate for each cell, and keeps the best."""
    protocol = job.protocol
    model = TaskModel(job)
    oracle = keras_tuner.oracles.GridSearchOracle(
        objective=keras_tuner.Objective("val_loss", "min"),
        hyperparameters=hyperparameters(
            task=model.tasks,
            depth=sorted({cell.depth for cell in job.cells}),
            activation=job.cells[0].activation,
            seed=sorted({cell.seed for cell in job.cells}),
            learning_rate=rates,
            **choices_of(job.cells[0]),
        ),
        # A failed trial is a row, and never the end of the search.
        max_consecutive_failed_trials=10**9,
    )

    def trial_ended(trial):
        row = _trial_row(trial, job)
        cell, message = row.cell, trial.message
        if cell not in job.cells:
            return
        send("trials", [row])
        send("steps", protocol.search_steps)
        if row.status == Status.FAILED:
            send("failure", (f"{cell}, rate {row.learning_rate:g}", message))
            found.messages.setdefault(cell, row.message)
        else:
            found.add(cell, dict(trial.hyperparameters.values), row.loss)

    with scratch() as directory:
        tuner = (tuner_class or functools.partial(_Together, job, send))(
            report=trial_ended,
            oracle=oracle,
            hypermodel=model,
            directory=directory,
            project_name="search",
        )
        tuner.search(
            model.x("train"),
            model.labels("train"),
            batch_size=protocol.batch_size,
            validation_data=model.records("validation"),
            verbose=0,
            **epochs_and_steps(protocol.search_epochs, protocol.search_steps),
            **fit_options(job, protocol.search_epochs),
        )


def epochs_and_steps(epochs, steps):
    """Returns the arguments of `fit` that divide steps into epochs."""
    return {"epochs": epochs, "steps_per_epoch": math.ceil(steps / epochs)}


def fit_options(job, epochs):
    """Returns the arguments of `fit` that a job's protocol adds."""
    if not job.protocol.is_thorough:
        return {}
    # The cells of such a job have one seed.
    return {"seed": job.cells[0].seed, "callbacks": [CosineDecay(epochs)]}


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

    def __init__(self, job, send, **kwargs):
        super().__init__(save_checkpoints=False, **kwargs)
        self._job = job
        self._send = send

    def run_alone(self, trial, *args, **kwargs):
        tell_one_by_one(self._job, self.why_alone(trial), self._send)
        hp = trial.hyperparameters
        network = self.hypermodel.build(hp)
        label = self.hypermodel.label(hp)
        return best_scores(
            search_one_by_one(self._job, self.hypermodel, label, network)
        )

    def run_together(self, trials, models, fit_args, fit_kwargs):
        fit_kwargs = {k: v for k, v in fit_kwargs.items() if k != "verbose"}
        population = Population([model for (model,) in models])
        label = self.hypermodel.label
        logs = population.fit(
            *fit_args,
            label_indices=[label(trial.hyperparameters) for trial in trials],
            **fit_kwargs,
        ).history
        return [
            best_scores({k: [each[i] for each in logs[k]] for k in logs})
            for i in range(len(trials))
        ]


def best_scores(history):
    """Returns a trial's scores in its best epoch, all finite.

    So that it has not failed if it diverged.
    """
    epochs = [
        {
            name: float(value) if np.isfinite(value) else WORST
            for name, value in zip(history, values, strict=True)
        }
        for values in zip(*history.values(), strict=True)
    ]
    return min(epochs, key=lambda scores: scores["val_loss"])


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
