"""A study: cells searched, trained and tested, resumable at any moment."""

import contextlib
import dataclasses
import pathlib
import shutil

import keras

from tasks import SPLITS
from tuning.errors import UserError
from tuning.population.loops import backend_loops
from tuning.problems.data import DataSettings
from tuning.problems.registry import open_problem
from tuning.study.directory import check_settings
from tuning.study.directory import hold_directory
from tuning.study.directory import make_directory
from tuning.study.directory import write_settings
from tuning.study.failures import log_failure
from tuning.study.failures import summarize
from tuning.study.job import Job
from tuning.study.job import run_job
from tuning.study.protocol import Protocol
from tuning.study.rows import Result
from tuning.study.rows import Status
from tuning.study.rows import Trial
from tuning.study.saving import best_path
from tuning.study.saving import candidate_path
from tuning.study.saving import move_model
from tuning.study.table import Table
from tuning.study.workers import run_jobs


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
        }


class Study:
    """Results in a directory, and the cells that are left to run.

    Args:
        directory: Where `results.csv` and `trials.csv` are, or will be.
        cells: List of `Cell`s.
        settings: A `Settings`.
        save_best: Directory to save the best model of each task in, or None.

    Raises:
        UserError: The directory cannot be used.
    """

    def __init__(self, directory, cells, settings, save_best=None):
        self.directory = pathlib.Path(directory)
        self.cells = list(cells)
        self.settings = settings
        self.save_best = None if save_best is None else pathlib.Path(save_best)

    @contextlib.contextmanager
    def open(self):
        """Takes hold of the directory, for one process at a time."""
        for path in (self.directory, self.save_best or self.directory):
            make_directory(path)
        with hold_directory(self.directory):
            # Before there were several protocols, there was this one.
            check_settings(
                self.directory,
                self.settings.fingerprint(),
                assumed={"name": "article"},
            )
            try:
                self.results = Table(self.directory / "results.csv", Result)
                self.trials = Table(self.directory / "trials.csv", Trial)
            except ValueError as error:
                raise UserError(str(error)) from error
            yield self

    def missing(self):
        """Returns the cells that have no result yet."""
        done = {
            row.cell for row in self.results.rows if row.status != Status.FAILED
        }
        return [cell for cell in self.cells if cell not in done]

    def rows(self):
        """Returns the results of this study's cells."""
        wanted = set(self.cells)
        return [row for row in self.results.rows if row.cell in wanted]

    def prepare(self):
        """Makes sure that the records of every input are there and whole."""
        protocol = self.settings.protocol
        problems = {
            problem.together: problem
            for problem in map(self._problem, self.missing())
        }
        for problem in problems.values():
            for split in SPLITS:
                try:
                    records = problem.records(split)
                except ValueError as error:
                    # The data set is not what such a problem is made of.
                    raise UserError(str(error)) from error
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
        # Rows of what failed or was interrupted are made anew.
        self.results.remove(lambda row: row.cell in missing)
        self.trials.remove(lambda row: row.cell in missing)
        shutil.rmtree(self.directory / "tuner", ignore_errors=True)
        for job, kind, content in run_jobs(self._jobs(missing), run_job):
            if kind == "trials":
                self.trials.append(content)
            elif kind == "result":
                self.results.append([content])
                if self.save_best is not None:
                    self._keep_if_best(content)
            elif kind == "failure":
                log_failure(self.directory, *content)
            elif kind == "error":
                yield from self._fail(job, content)
            yield job, kind, content
        shutil.rmtree(self.directory / "tuner", ignore_errors=True)

    def _fail(self, job, message):
        done = {row.cell for row in self.results.rows}
        log_failure(self.directory, job.name, message)
        line = summarize(message)
        for cell in job.cells:
            if cell not in done:
                row = Result.of(cell, status=Status.FAILED, message=line)
                self.results.append([row])
                yield job, "result", row

    def _problem(self, cell):
        return open_problem(
            cell.task,
            cell.inputs,
            self.settings.data,
            self.settings.protocol.tolerance,
        )

    def _jobs(self, cells):
        """Groups cells into jobs, the longest first."""
        together = backend_loops().is_accelerated()
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
                str(self.directory),
                self.save_best is not None,
            )
            for group in groups.values()
        ]
        return sorted(jobs, key=lambda job: -job.steps)

    def _keep_if_best(self, row):
        candidate = candidate_path(self.directory, row.cell)
        if not candidate.exists():
            return
        rivals = [
            other.accuracy
            for other in self.results.rows[:-1]
            if (other.task, other.inputs) == (row.task, row.inputs)
            and other.accuracy is not None
        ]
        if all(row.accuracy > rival for rival in rivals):
            move_model(candidate, best_path(self.save_best, row.cell))
