"""The command line of the experiment."""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from examples.interaction_parameters import report
from examples.interaction_parameters.training import QUICK
from examples.interaction_parameters.training import Row
from examples.interaction_parameters.training import Settings
from examples.interaction_parameters.training import jobs
from examples.interaction_parameters.training import search
from tuning.job import device_name
from tuning.results import Table
from tuning.workers import processors
from tuning.workers import run_jobs


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m examples.interaction_parameters",
        description="How many parameters a perceptron, and a multiplicative "
        "interaction, need for the dot product and the sum of two vectors. "
        "Trains on all processors, and writes results.csv, parameters.png and "
        "report.md. The same command goes on where it was stopped.",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small vectors and few steps, to see it work",
    )
    parser.add_argument(
        "--directory",
        type=pathlib.Path,
        default=pathlib.Path("results/interaction_parameters"),
        help="where to write to (default: %(default)s)",
    )
    arguments = parser.parse_args(arguments)
    settings = QUICK if arguments.quick else Settings()
    try:
        arguments.directory.mkdir(parents=True, exist_ok=True)
        table = open_table(arguments.directory, settings)
    except OSError as error:
        parser.error(f"--directory {arguments.directory}: {error.strerror}")
    except ValueError as error:
        parser.error(str(error))
    run(settings, table)
    rows = read(table)
    minutes = sum(row.seconds for row in rows) / 60
    how = (
        f"Measured on {datetime.date.today()} with the "
        f"{keras.config.backend()} backend of Keras {keras.__version__} on "
        f"{device_name()}, in {minutes:.1f} minutes of one processor."
    )
    report.write(rows, settings, how, arguments.directory)
    print(f"Written to {arguments.directory / 'report.md'}")


def open_table(directory, settings):
    """Returns the rows of an earlier run with the same settings, if any."""
    described = {
        "backend": keras.config.backend(),
        **dataclasses.asdict(settings),
    }
    described = json.dumps(described, indent=2) + "\n"
    path = directory / "settings.json"
    if path.exists() and path.read_text() != described:
        raise ValueError(
            f"{directory} holds a run with other settings or of another "
            "backend (settings.json). Give another --directory."
        )
    columns = [field.name for field in dataclasses.fields(Row)]
    table = Table(directory / "results.csv", columns)
    path.write_text(described)
    return table


def read(table):
    """Returns a table's rows as `Row`s."""

    def value(field, text):
        return text == "True" if field.type is bool else field.type(text)

    return [
        Row(
            **{
                field.name: value(field, row[field.name])
                for field in dataclasses.fields(Row)
            }
        )
        for row in table.rows
    ]


def run(settings, table):
    """Adds the rows that are missing."""
    print(
        f"{keras.config.backend()} on {len(processors())} processors, "
        f"{device_name()}",
        flush=True,
    )
    started = time.perf_counter()
    try:
        for job, kind, content in run_jobs(jobs(settings, read(table)), search):
            if kind == "error":
                sys.exit(
                    f"{job.network}, {job.function}, d = {job.dimension}:\n"
                    f"{content}"
                )
            if kind == "row":
                table.append([dataclasses.asdict(content)])
                print(
                    f"{time.perf_counter() - started:5.0f} s  "
                    f"{content.function}  d {content.dimension:<3} "
                    f"{content.network:<12}"
                    f"{content.parameters:>8,} parameters  "
                    f"error {content.error:.3f} after {content.steps:,} steps",
                    flush=True,
                )
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.")
        sys.exit(130)


if __name__ == "__main__":
    main()
