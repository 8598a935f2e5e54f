"""A study: cells searched, trained and tested, resumable at any moment."""

import collections
import contextlib
import dataclasses
import pathlib

import keras

from tasks import SPLITS
from tuning.errors import UserError
from tuning.messages import summarize
from tuning.networks.registry import check_layer
from tuning.problems.data import DataSettings
from tuning.problems.registry import open_problem
from tuning.study import workers
from tuning.study.directory import EARLIER
from tuning.study.directory import check_settings
from tuning.study.directory import hold_directory
from tuning.study.directory import make_directory
from tuning.study.directory import write_settings
from tuning.study.failures import log_failure
from tuning.study.job import Job
from tuning.study.job import run_job
from tuning.study.protocol import Protocol
from tuning.study.rows import Result
from tuning.study.rows import Status
from tuning.study.rows import Trial
from tuning.study.saving import best_path
from tuning.study.saving import is_better
from tuning.study.saving import keep_if_best
from tuning.study.spreading import Parts
from tuning.study.spreading import spread
from tuning.study.table import Table
from tuning.study.versions import versions
from tuning.study.workers import Death
from tuning.study.workers import run_jobs

# How often a cell is tried whose process dies.
ATTEMPTS = 3


@dataclasses.dataclass(frozen=True)
class Settings:
    """What all rows of a study's directory have in common.

    Attributes:
        protocol: The training procedure.
        data: The records.
    """

    protocol: Protocol = dataclasses.field(default_factory=Protocol)
    data: DataSettings = dataclasses.field(default_factory=DataSettings)

    def fingerprint(self):
        """Returns what must agree for rows to stand in one table."""
        return {
            **dataclasses.asdict(self.protocol),
            "width": self.data.width,
            "train_records": self.data.train_records,
            # Directories of earlier versions, which had another, say so.
            "tuner": "population",
            "backend": keras.config.backend(),
            **versions(keras.config.backend()),
        }


class Study:
    """Results in a directory, and the cells that are left to run.

    Args:
        directory: Where `results.csv` and `trials.csv` are, or will be.
        cells: List of `Cell`s.
        settings: A `Settings`.
        save_best: Directory to save the best model of each task in, or None.
        cluster: The `tuning.study.cluster.Cluster` to run on, or None for this
            machine.

    Raises:
        UserError: The directory cannot be used.
    """

    def __init__(
        self, directory, cells, settings, save_best=None, cluster=None
    ):
        self.directory = pathlib.Path(directory)
        self.cells = list(cells)
        self.settings = settings
        self.save_best = None if save_best is None else pathlib.Path(save_best)
        self.cluster = cluster

    @contextlib.contextmanager
    def open(self):
        """Takes hold of the directory, for one process at a time."""
        places = (self.directory, self.save_best or self.directory)
        made = [
            folder
            for path in places
            for folder in (path, *path.parents)
            if not folder.exists()
        ]
        try:
            for path in places:
                make_directory(path)
            with self._held():
                yield self
        except (OSError, UserError):
            # A refused search leaves nothing behind.
            with contextlib.suppress(OSError):
                if self.directory in made:
                    (self.directory / ".lock").unlink(missing_ok=True)
                for folder in made:
                    folder.rmdir()
            raise

    @contextlib.contextmanager
    def _held(self):
        with hold_directory(self.directory):
            check_settings(
                self.directory,
                self.settings.fingerprint(),
                # Nor were versions noted.
                {**EARLIER, **versions(keras.config.backend())},
            )
            try:
                self.results = Table(self.directory / "results.csv", Result)
                self.trials = Table(self.directory / "trials.csv", Trial)
            except ValueError as error:
                raise UserError(str(error)) from error
            yield

    def missing(self):
        """Returns the cells that have no result yet, or whose model is lost.

        The latter is the best cell of a task, where its model should be saved
        and is not.
        """
        done = {
            row.cell: row
            for row in self.results.rows
            if row.status != Status.FAILED
        }
        unsaved = self._unsaved(done)
        return [
            cell for cell in self.cells if cell not in done or cell in unsaved
        ]

    def rows(self):
        """Returns the results of this study's cells."""
        wanted = set(self.cells)
        return [row for row in self.results.rows if row.cell in wanted]

    def prepare(self):
        """Makes sure that layers can be made, and all records are there."""
        try:
            self._check_records_and_layers()
        except ValueError as error:
            # A data set may not be what such a problem is made of.
            raise UserError(str(error)) from error

    def _check_records_and_layers(self):
        protocol = self.settings.protocol
        problems, networks = {}, {}
        for cell in self.missing():
            problem = self._problem(cell)
            problems[problem.together] = problem
            networks[cell.network, problem.units] = problem
        for (name, _), problem in networks.items():
            check_layer(name, problem)
        for problem in problems.values():
            for split in SPLITS:
                records = problem.records(split)
                if split == "train" and records < protocol.batch_size:
                    raise UserError(
                        f"There are {records} records of {problem.inputs} to "
                        "train on, not enough for one batch. Received: "
                        f"batch_size={protocol.batch_size}"
                    )

    def run(self):
        """Runs the missing cells, and yields `(job, kind, content)`.

        Each kind is one of `run_jobs` and `run_job`; rows are in the tables
        before they are yielded.
        """
        missing = set(self.missing())
        write_settings(self.directory, self.settings.fingerprint())
        # Rows of failed and interrupted cells are made anew. A cell that is
        # trained again for its model keeps its row until then.
        anew = missing - {
            row.cell for row in self.results.rows if row.status != Status.FAILED
        }
        self.results.remove(lambda row: row.cell in anew)
        self.trials.remove(lambda row: row.cell in anew)
        jobs = self._jobs(missing)
        parts, deaths = Parts(jobs), collections.Counter()
        models = {}
        run = self.cluster.run_jobs if self.cluster else run_jobs
        for job, kind, content in run(jobs, run_job):
            if kind == "trials":
                self.trials.append(row for row in content if row.cell in anew)
            elif kind == "model":
                # Its row is what the same job sends next.
                models[job] = content
            elif kind == "result":
                self._add(content, anew, models.pop(job, None))
            elif kind == "found":
                jobs += parts.found(job, content)
            elif kind == "failure":
                log_failure(self.directory, *content)
            elif kind == "error":
                yield from self._end(job, content, jobs, deaths, anew)
            yield job, kind, content

    def _add(self, row, anew, model=None):
        """Adds a result, and keeps its model if it is the best.

        The model first: a cell with a row is not made again.
        """
        if model is not None:
            keep_if_best(self.save_best, row, model)
        if row.cell in anew:
            self.results.append([row])
        elif row.status != Status.FAILED:
            self.results.replace(row, lambda other: other.cell == row.cell)

    def _end(self, job, message, jobs, deaths, anew):
        """Runs the rest of a job again if its process has died, or gives up."""
        done = {row.cell for row in self.results.rows}
        cells = [
            cell for cell in job.cells if cell not in done or cell not in anew
        ]
        log_failure(self.directory, job.name, message)
        has_died = isinstance(message, Death)
        for cell in cells:
            # In company another may be the cause.
            is_alone = has_died and len(job.cells) == 1
            deaths[cell] += message.attempts if is_alone else 1
            if has_died and deaths[cell] < ATTEMPTS:
                # Alone, so that it takes no other with it.
                part = dataclasses.replace(job, cells=(cell,))
                if cell in anew:
                    self.trials.remove(part.is_of)
                jobs.append(part)
            else:
                row = Result.of(
                    cell, status=Status.FAILED, message=summarize(message)
                )
                self._add(row, anew)
                yield job, "result", row

    def _unsaved(self, done):
        """Returns the cells whose models should be saved, and are not."""
        if self.save_best is None:
            return set()
        best = {}
        for cell in self.cells:
            row, key = done.get(cell), (cell.task, cell.inputs)
            if row is not None and (
                key not in best or row.accuracy > best[key].accuracy
            ):
                best[key] = row
        return {
            row.cell
            for row in best.values()
            if is_better(row, best_path(self.save_best, row.cell))
        }

    def _problem(self, cell):
        return open_problem(
            cell.task,
            cell.inputs,
            self.settings.data,
            self.settings.protocol.tolerance,
        )

    def _jobs(self, cells):
        """Groups cells into jobs, the longest first."""
        place = self.cluster or workers
        together, at_once = place.is_accelerated(), place.jobs_at_once()
        groups = {}
        for cell in self.cells:
            if cell in cells:
                key = (cell.network, cell.activation)
                if together:
                    key += (self._problem(cell).together,)
                    if self.settings.protocol.is_thorough:
                        # A seed sets the order of the batches.
                        key += (cell.seed,)
                else:
                    key += (cell.task, cell.inputs, cell.seed)
                groups.setdefault(key, []).append(cell)
        jobs = [
            Job(
                tuple(group),
                self.settings.protocol,
                self.settings.data,
                self.save_best is not None,
            )
            for group in groups.values()
        ]
        if 0 < len(jobs) < at_once:
            jobs = spread(jobs, at_once)
        return sorted(jobs, key=lambda job: -job.steps)
