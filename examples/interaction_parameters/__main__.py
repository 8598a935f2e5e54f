"""The command line of the experiment."""

import argparse
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from examples.interaction_parameters import report
from examples.interaction_parameters.training import QUICK
from examples.interaction_parameters.training import Row
from examples.interaction_parameters.training import Settings
from examples.interaction_parameters.training import jobs
from examples.interaction_parameters.training import search
from examples.runs import Runs
from examples.runs import how_it_was_run


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
        runs = Runs(arguments.directory, settings, Row)
    except OSError as error:
        parser.error(f"--directory {arguments.directory}: {error.strerror}")
    except ValueError as error:
        parser.error(str(error))
    runs.run(jobs(settings, runs.rows), search, describe)
    seconds = sum(row.seconds for row in runs.rows)
    report.write(
        runs.rows, settings, how_it_was_run(seconds), arguments.directory
    )
    print(f"Written to {arguments.directory / 'report.md'}")


def describe(row):
    return (
        f"{row.function}  d {row.dimension:<3} {row.network:<12}"
        f"{row.parameters:>8,} parameters  "
        f"error {row.error:.3f} after {row.steps:,} steps"
    )


if __name__ == "__main__":
    main()
