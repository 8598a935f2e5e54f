"""Finished trainings in a table on disk, so that none is done twice."""

import argparse
import dataclasses
import datetime
import pathlib
import sys
import time
import weakref

import keras

from tuning.errors import UserError
from tuning.study.device import device_name
from tuning.study.directory import check_settings
from tuning.study.directory import hold_directory
from tuning.study.directory import make_directory
from tuning.study.directory import write_settings
from tuning.study.table import Table
from tuning.study.workers import processors
from tuning.study.workers import run_jobs


def from_command_line(name, about, settings, quick, row_class, arguments=None):
    """Returns the `Runs` and the settings that a command line asks for.

    Args:
        name: Name of the experiment.
        about: One sentence on what it does, for `--help`.
        settings: A dataclass.
        quick: The settings that `--quick` stands for.
        row_class: As for `Runs`.
        arguments: List of arguments. Default: those of the process.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m experiments.{name}",
        description=f"{about} Trains on all processors, and writes results.csv "
        "and report.md. If you stop it, the same command resumes it.",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="train for a few steps only, to see it work",
    )
    parser.add_argument(
        "--directory",
        type=pathlib.Path,
        default=pathlib.Path("results", name),
        help="where to write the results (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    settings = quick if options.quick else settings
    try:
        return Runs(options.directory, settings, row_class), settings
    except UserError as error:
        parser.error(str(error))


class Runs:
    """The rows in a directory's `results.csv`.

    Args:
        directory: Where the table is, or will be.
        settings: A dataclass. All rows of a directory share one set of settings
            and one backend.
        row_class: The dataclass of a row, as `tuning.study.table.Table` takes
            it.

    Raises:
        UserError: The directory cannot be used: it holds rows of other
            settings, its files are damaged, or another process has it.
    """

    def __init__(self, directory, settings, row_class):
        self.directory = pathlib.Path(directory)
        make_directory(self.directory)
        # The directory is this object's as long as it is there.
        weakref.finalize(self, hold_directory(self.directory).close)
        described = {
            "backend": keras.config.backend(),
            **dataclasses.asdict(settings),
        }
        check_settings(self.directory, described)
        try:
            self._table = Table(self.directory / "results.csv", row_class)
        except ValueError as error:
            raise UserError(str(error)) from error
        write_settings(self.directory, described)

    @property
    def rows(self):
        """List of the rows."""
        return self._table.rows

    def add(self, rows):
        """Writes rows: all of them or, if that fails, none."""
        self._table.append(rows)

    def run(self, jobs, work, describe):
        """Works on jobs on all processors, and writes the rows they send.

        Args:
            jobs: List of what `work` is called on.
            work: Called as `work(job, send)`, sends `("rows", list of rows)`.
            describe: Returns the line that is printed for a row.
        """
        print(
            f"{keras.config.backend()} on {len(processors())} processors, "
            f"{device_name()}",
            flush=True,
        )
        started = time.perf_counter()
        try:
            for job, kind, content in run_jobs(jobs, work):
                if kind == "error":
                    sys.exit(f"{job}:\n{content}")
                if kind == "rows":
                    self.add(content)
                    for row in content:
                        seconds = time.perf_counter() - started
                        print(f"{seconds:5.0f} s  {describe(row)}", flush=True)
        except KeyboardInterrupt:
            print("Stopped. The same command resumes it.")
            sys.exit(130)

    def how(self):
        """Returns sentences that say when, on what and how long it ran.

        Each row needs a field `seconds`: how long it took.
        """
        minutes = sum(row.seconds for row in self.rows) / 60
        return (
            f"Measured on {datetime.date.today()} with the "
            f"{keras.config.backend()} backend of Keras {keras.__version__} "
            f"on {len(processors())} × {device_name()}. All trainings together "
            f"took {minutes:.1f} minutes of one processor."
        )
