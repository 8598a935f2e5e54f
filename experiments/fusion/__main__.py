"""The command line of the experiment."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from experiments.fusion import report
from experiments.fusion.training import QUICK
from experiments.fusion.training import Row
from experiments.fusion.training import Settings
from experiments.fusion.training import jobs
from experiments.fusion.training import train
from experiments.runs import from_command_line


def main(arguments=None):
    runs, settings = from_command_line(
        "fusion",
        "Which layer should fuse a picture with a name?",
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
        f"{row.fusion:<24}equal {row.equal:<12}rate {row.learning_rate:<6g}"
        f"seed {row.seed}  accuracy {row.accuracy:.3f}"
    )


if __name__ == "__main__":
    main()
