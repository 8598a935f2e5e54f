"""The command line of the experiment."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from experiments.characters import report
from experiments.characters import text
from experiments.characters.training import QUICK
from experiments.characters.training import Row
from experiments.characters.training import Settings
from experiments.characters.training import baselines
from experiments.characters.training import jobs
from experiments.characters.training import train
from experiments.runs import from_command_line
from tuning.errors import UserError


def main(arguments=None):
    runs, settings = from_command_line(
        "characters",
        "Do products help a recurrent model of characters?",
        Settings(),
        QUICK,
        Row,
        arguments,
    )
    missing = jobs(settings, runs.rows)
    if missing:
        try:
            source = text.load()
        except UserError as error:
            sys.exit(str(error))
        if not any(row.network == "unigram" for row in runs.rows):
            runs.add(baselines(source))
    runs.run(missing, train, describe)
    report.write(runs.rows, settings, runs.how(), runs.directory)
    print(f"Written to {runs.directory / 'report.md'}")


def describe(row):
    return (
        f"{row.network:<32}rate {row.learning_rate:<6g}seed {row.seed}  "
        f"{row.bits:.3f} bits per character"
    )


if __name__ == "__main__":
    main()
