"""The command line of a report: `python -m tuning.report --help`."""

import argparse
import sys

from tuning.errors import UserError
from tuning.errors import check_installation

DESCRIPTION = """\
Turn the results of a search into a page, DIRECTORY/report.html, and figures,
DIRECTORY/figures/*.png."""


def main(arguments=None):
    """Writes a report; returns the process's exit code."""
    options = _parser().parse_args(arguments)
    try:
        check_installation()
        from tuning.reporting.page import write_report

        path = write_report(options.directory, options.published)
    except (UserError, ValueError, OSError) as error:
        print(f"report: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(f"Report: {path}")
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message):
        print(f"report: error: {message}", file=sys.stderr)
        sys.exit(2)


def _parser():
    parser = _Parser(prog="python -m tuning.report", description=DESCRIPTION)
    parser.add_argument(
        "directory",
        metavar="DIRECTORY",
        help="where a search has written its results",
    )
    parser.add_argument(
        "--published",
        metavar="PATH",
        help="a CSV file of published results to compare with",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
