"""Failures: one line of each in the tables, all of it in a log."""

import datetime
import pathlib

NAME = "failures.log"


def log_failure(directory, what, failure):
    """Adds a failure to the log of a study.

    Args:
        directory: The study's directory.
        what: Which cell or trial it is.
        failure: A formatted traceback, or a message; or None.
    """
    now = datetime.datetime.now().isoformat(" ", "seconds")
    with open(
        pathlib.Path(directory) / NAME, "a", encoding="utf-8", errors="replace"
    ) as file:
        file.write(f"== {now} {what}\n{(failure or '').rstrip()}\n\n")
