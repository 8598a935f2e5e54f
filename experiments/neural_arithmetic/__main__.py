"""The command line of the experiment."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from experiments.neural_arithmetic import report
from experiments.neural_arithmetic.training import QUICK
from experiments.neural_arithmetic.training import Row
from experiments.neural_arithmetic.training import Settings
from experiments.neural_arithmetic.training import jobs
from experiments.neural_arithmetic.training import train
from experiments.runs import from_command_line


def main(arguments=None):
    runs, settings = from_command_line(
        "neural_arithmetic",
        "Which arithmetic unit learns sums, products, quotients and powers so "
        "exactly that it extrapolates?",
        Settings(),
        QUICK,
        Row,
        arguments,
    )
    runs.run(jobs(settings, runs.rows), train, describe)
    report.write(runs.rows, settings, runs.how(), runs.directory)
    print(f"Written to {runs.directory / 'report.md'}")


def describe(row):
    return (
        f"{row.operation:<7}{row.unit:<26}seed {row.seed}  error "
        f"{row.error:.3g}{', a success,' if row.success else ''} after "
        f"{row.steps:,} steps"
    )


if __name__ == "__main__":
    main()
