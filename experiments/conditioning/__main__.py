"""The command line of the experiment."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from experiments.conditioning import report
from experiments.conditioning.training import QUICK
from experiments.conditioning.training import Row
from experiments.conditioning.training import Settings
from experiments.conditioning.training import jobs
from experiments.conditioning.training import train
from experiments.runs import from_command_line


def main(arguments=None):
    runs, settings = from_command_line(
        "conditioning",
        "How should one network of twelve operations be told which one is "
        "meant?",
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
        f"{row.network:<16}rate {row.learning_rate:<6g}seed {row.seed}  "
        f"explained {row.explained:.3f}, held out {row.held_out:.3f}"
    )


if __name__ == "__main__":
    main()
