"""The command line of the experiment: a search of everything, and its page."""

import argparse
import sys

from tuning import report
from tuning import search

ARGUMENTS = [
    *("--task", "all"),
    *("--inputs", "all"),
    *("--network", "all"),
    *("--activation", "all"),
    *("--train-steps", "15000"),
]


def main(arguments=None):
    """Runs the search and writes its page; returns the process's exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.whole_grid",
        description="Search, train and test every network on every task. If "
        "you stop it, the same command resumes it. All further options are "
        "those of python -m tuning.search.",
    )
    parser.add_argument(
        "--directory",
        default="results/whole_grid",
        help="where to write the results (default: %(default)s)",
    )
    options, more = parser.parse_known_args(arguments)
    code = search.main([*ARGUMENTS, "--directory", options.directory, *more])
    # 1 means that some cells failed; the page shows them.
    return code if code > 1 else report.main([options.directory]) or code


if __name__ == "__main__":
    sys.exit(main())
