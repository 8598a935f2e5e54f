"""The command line of the experiment."""

import argparse
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from examples.neural_arithmetic import report
from examples.neural_arithmetic.training import QUICK
from examples.neural_arithmetic.training import Row
from examples.neural_arithmetic.training import Settings
from examples.neural_arithmetic.training import jobs
from examples.neural_arithmetic.training import train
from examples.runs import Runs
from examples.runs import how_it_was_run


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m examples.neural_arithmetic",
        description="Which arithmetic unit learns sums, products, quotients "
        "and powers so exactly that it extrapolates. Trains on all processors, "
        "and writes results.csv and report.md. The same command goes on where "
        "it was stopped.",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="few steps, in which hardly anything is learned, to see it work",
    )
    parser.add_argument(
        "--directory",
        type=pathlib.Path,
        default=pathlib.Path("results/neural_arithmetic"),
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
    runs.run(jobs(settings, runs.rows), train, describe)
    seconds = sum(row.seconds for row in runs.rows)
    report.write(
        runs.rows, settings, how_it_was_run(seconds), arguments.directory
    )
    print(f"Written to {arguments.directory / 'report.md'}")


def describe(row):
    return (
        f"{row.operation:<7}{row.unit:<26}seed {row.seed}  error "
        f"{row.error:.3g}{', a success,' if row.success else ''} after "
        f"{row.steps:,} steps"
    )


if __name__ == "__main__":
    main()
