"""A part of a study that runs in one process, from search to test."""

import collections
import dataclasses
import time
import traceback

import keras

from tuning.messages import summarize
from tuning.problems.data import DataSettings
from tuning.study.cells import count_steps
from tuning.study.files import as_file_name
from tuning.study.model import TaskModel
from tuning.study.model import chosen
from tuning.study.model import hyperparameters
from tuning.study.protocol import Protocol
from tuning.study.released import run_released
from tuning.study.rows import Cell
from tuning.study.rows import Result
from tuning.study.rows import Status
from tuning.study.saving import save_model
from tuning.study.search import Found
from tuning.study.search import search_cells
from tuning.study.test import to_result
from tuning.study.train import train_together


@dataclasses.dataclass(frozen=True)
class Job:
    """Cells that share inputs, network and activation.

    Attributes:
        cells: Tuple of `Cell`s.
        protocol: The training procedure.
        data: The records.
        save: Whether to send every cell's trained model.
        rates: The learning rates to try, of a job that is a part of a search
            and trains nothing after it; None for all of the protocol's.
        found: The `Found` of such parts, for the job that comes after them.
    """

    cells: tuple[Cell, ...]
    protocol: Protocol
    data: DataSettings
    save: bool = False
    rates: tuple[float, ...] | None = None
    # Results don't make it another job.
    found: Found | None = dataclasses.field(default=None, compare=False)

    @property
    def name(self):
        first = self.cells[0]
        tasks_here = sorted({cell.task for cell in self.cells})
        return as_file_name(
            f"{'+'.join(tasks_here[:3])}_{first.inputs}_{first.network}"
            f"_{first.activation}_{first.seed}"
            + (f"_{self.rates[0]:g}" if self.rates else "")
        )

    @property
    def steps(self):
        """Optimizer steps, at most, of all members together."""
        training = self.protocol.train_steps * len(self.cells)
        if self.found is not None:
            return training
        both = sum(count_steps(cell, self.protocol) for cell in self.cells)
        if self.rates is None:
            return both
        share = len(self.rates) / len(self.protocol.learning_rates)
        return round((both - training) * share)

    def is_of(self, trial):
        """Whether a row of a trial is one that this job makes."""
        if trial.cell not in self.cells:
            return False
        if self.rates is not None:
            return trial.learning_rate in self.rates
        # After the parts of a search only further rates are tried.
        known = self.protocol.learning_rates
        return self.found is None or trial.learning_rate not in known

    def parts(self, count):
        """Returns up to `count` jobs that search a part of the rates each.

        In the protocol `released` a rate depends on how others went.
        """
        if count < 2 or self.protocol.name == "released":
            return [self]
        rates = self.protocol.learning_rates
        return [
            dataclasses.replace(self, rates=rates[i::count])
            for i in range(min(count, len(rates)))
        ]


def run_job(job, send, tuner_class=None, train=train_together):
    """Searches, trains and tests the cells of a job.

    Args:
        job: A `Job`.
        send: Called as `send(kind, content)` with what becomes known:
            `("trials", rows)`, `("result", row)`, `("steps", count)`,
            `("warning", line)`, which may come several times, and
            `("failure", (what, traceback))`; before a result, if models are to
            be saved, `("model", saved)`; and of a part of a search
            `("found", found)`.
        tuner_class: As for `search_cells`.
        train: As `train_together`.
    """
    if job.protocol.name == "released":
        run_released(job, send)
        return
    started = time.perf_counter()
    found = search_cells(job, send, tuner_class)
    found.seconds += time.perf_counter() - started
    if job.rates is not None:
        send("found", found)
        return
    for cell in job.cells:
        if cell not in found.best:
            send("result", _failed(cell, found.messages.get(cell)))
    together = collections.defaultdict(dict)
    for cell in job.cells:
        if cell in found.best:
            hp = hyperparameters(**found.best[cell])
            together[cell.depth, chosen(cell, hp)][cell] = hp
    search_seconds = found.seconds / len(job.cells)
    for cells in together.values():
        try:
            _train_and_test(job, cells, search_seconds, send, train)
        except Exception:
            failure = traceback.format_exc()
            for cell in cells:
                send("failure", (str(cell), failure))
                send("result", _failed(cell, summarize(failure)))


def _train_and_test(job, best, search_seconds, send, train):
    """Trains cells of one architecture from scratch, and tests them."""
    started = time.perf_counter()
    model = TaskModel(job)
    cells = list(best)
    members = [model.build(hp) for hp in best.values()]
    trained = train(job, model, cells, members, send)
    seconds = (time.perf_counter() - started) / len(cells) + search_seconds
    for cell, member, each in zip(cells, members, trained, strict=True):
        hp = best[cell]
        problem = model.problems[model.label(hp)]
        row = to_result(cell, hp, problem, member, each, seconds, job.protocol)
        if job.save:
            example = keras.tree.map_structure(
                lambda x: x[:2], problem.x("test")
            )
            send("model", save_model(member, each.weights(), row, example))
        send("result", row)


def _failed(cell, message):
    return Result.of(cell, status=Status.FAILED, message=message)
