"""Several directories of results, made into one."""

import contextlib
import json

from tuning.errors import UserError
from tuning.study.directory import EARLIER
from tuning.study.directory import check_settings
from tuning.study.directory import hold_directory
from tuning.study.directory import make_directory
from tuning.study.directory import write_settings
from tuning.study.rows import Result
from tuning.study.rows import Status
from tuning.study.rows import Trial
from tuning.study.table import Table

_TABLES = {"results.csv": Result, "trials.csv": Trial}


def merge(sources, target):
    """Adds the results of some directories to those of another.

    A cell that several have done counts once, as it is in the first of them,
    the target before all others; one that has failed gives way to any. Its
    trials are those of the same directory. The sources keep their tables.

    Args:
        sources: List of paths of directories.
        target: Path of a directory, which need not exist.

    Returns:
        The list of all `Result`s.

    Raises:
        UserError: A directory has no results, or others' settings, or is in
            use.
    """
    for source in sources:
        if not (source / "results.csv").exists():
            raise UserError(f"{source} has no results.csv.")
    settings = {**EARLIER, **_settings(sources[0])}
    for directory in (*sources, target):
        check_settings(directory, settings, assumed=EARLIER)
    make_directory(target)
    with contextlib.ExitStack() as stack:
        for directory in dict.fromkeys(
            path.resolve() for path in (target, *sources)
        ):
            stack.enter_context(hold_directory(directory))
        best = {}
        tables = [_tables(directory) for directory in (target, *sources)]
        for number, (results, _) in enumerate(tables):
            for row in results.rows:
                is_new = row.cell not in best
                if is_new or best[row.cell][1].status == Status.FAILED:
                    if is_new or row.status != Status.FAILED:
                        best[row.cell] = number, row
        write_settings(target, settings)
        results, trials = tables[0]
        moved = {cell for cell, (number, _) in best.items() if number}
        # In this order a cell whose merging was interrupted is merged again.
        results.remove(lambda row: row.cell in moved)
        trials.remove(lambda row: row.cell in moved)
        trials.append(
            row
            for number, (_, others) in enumerate(tables[1:], 1)
            for row in others.rows
            if row.cell in moved and best[row.cell][0] == number
        )
        results.append(row for number, row in best.values() if number)
        return results.rows


def _settings(directory):
    try:
        return json.loads((directory / "settings.json").read_text())
    except (OSError, RecursionError, ValueError) as error:
        raise UserError(
            f"{directory} has no settings.json that says how its results were "
            "made."
        ) from error


def _tables(directory):
    try:
        return [Table(directory / name, row) for name, row in _TABLES.items()]
    except ValueError as error:
        raise UserError(str(error)) from error
