"""The command line of merging: `python -m tuning.merge --help`."""

import pathlib
import sys

from tuning.arguments import Parser
from tuning.errors import UserError
from tuning.messages import one_line
from tuning.study.merging import merge
from tuning.study.rows import Status

DESCRIPTION = """\
Add the results of some directories to those of one, as of the parts of a search
that were run with --shard. They should be made with the same settings."""


def main(arguments=None):
    """Merges directories; returns the process's exit code."""
    parser = Parser(prog="python -m tuning.merge", description=DESCRIPTION)
    parser.add_argument(
        "sources",
        nargs="+",
        type=pathlib.Path,
        metavar="SOURCE",
        help="a directory of a search",
    )
    parser.add_argument(
        "--directory",
        type=pathlib.Path,
        default=pathlib.Path("results"),
        help="where the results go (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    try:
        rows = merge(options.sources, options.directory)
    except (UserError, OSError) as error:
        print(f"merge: error: {one_line(error, 10_000)}", file=sys.stderr)
        return 2
    failed = sum(row.status == Status.FAILED for row in rows)
    print(f"{len(rows)} cells are in {options.directory}, {failed} failed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
