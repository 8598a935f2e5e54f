"""The command line of the experiment."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from experiments.interaction_parameters import report
from experiments.interaction_parameters.training import QUICK
from experiments.interaction_parameters.training import Row
from experiments.interaction_parameters.training import Settings
from experiments.interaction_parameters.training import jobs
from experiments.interaction_parameters.training import search
from experiments.runs import from_command_line


def main(arguments=None):
    runs, settings = from_command_line(
        "interaction_parameters",
        "How many parameters do a perceptron and a multiplicative interaction "
        "need for the dot product and the sum of two vectors?",
        Settings(),
        QUICK,
        Row,
        arguments,
    )
    runs.run(jobs(settings, runs.rows), search, describe)
    report.write(runs.rows, settings, runs.how(), runs.directory)
    print(f"Written to {runs.directory / 'report.md'}")


def describe(row):
    return (
        f"{row.function}  d {row.dimension:<3} {row.network:<12}"
        f"{row.parameters:>8,} parameters  "
        f"error {row.error:.3f} after {row.steps:,} steps"
    )


if __name__ == "__main__":
    main()
