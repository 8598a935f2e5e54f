"""A directory of results: one process writes there, by one set of settings."""

import contextlib
import json
import tempfile

from tasks.packed.locks import acquire
from tuning.errors import UserError
from tuning.study.files import replace_file
from tuning.study.versions import NAMES

_SETTINGS = "settings.json"
# Settings of studies from before there were several protocols.
EARLIER = {"name": "article"}


def make_directory(path):
    """Makes a directory, and raises a `UserError` if it can't be written to."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        # Nothing but trying tells whether it can be written to.
        tempfile.TemporaryFile(dir=path).close()
    except OSError as error:
        raise UserError(f"Cannot write to {path}: {error.strerror}.") from error


def hold_directory(directory):
    """Takes a directory for this process alone, until the result is closed.

    It also removes the unfinished files of a killed process.

    Args:
        directory: Path of a directory that exists.

    Returns:
        A context manager with a method `close`.

    Raises:
        UserError: Another process has it, or it can't be locked.
    """
    try:
        lock = acquire(directory / ".lock", wait=False)
    except OSError as error:
        raise UserError(
            f"{directory} cannot be locked: {error.strerror}. Name a directory "
            "on another file system."
        ) from error
    if lock is None:
        raise UserError(f"Another process is running in {directory}.")
    held = contextlib.ExitStack()
    held.callback(lock.release)
    for name in ("results.csv", "trials.csv", _SETTINGS):
        for stale in directory.glob(f".{name}.*.new"):
            stale.unlink()
    return held


def check_settings(directory, settings, assumed=None):
    """Raises a `UserError` unless a directory's rows have these settings.

    Args:
        directory: Path of the directory.
        settings: Dictionary that JSON can hold.
        assumed: Dictionary of settings that older directories don't name.
    """
    path = directory / _SETTINGS
    if not path.exists():
        if (directory / "results.csv").exists():
            raise UserError(
                f"{directory} has results, but no {path.name} that says how "
                "they were made. Name another directory."
            )
        return
    # Tuples become lists, as in the file.
    mine = json.loads(json.dumps(settings))
    try:
        theirs = {**(assumed or {}), **json.loads(path.read_text())}
    # Also for lists that are nested too deep.
    except (RecursionError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} is damaged. Restore it, or name another directory."
        ) from error
    different = [
        name
        for name in sorted({*mine, *theirs})
        if theirs.get(name) != mine.get(name)
    ]
    if not different:
        return
    what, way_out = "settings", "Name another directory."
    if {*different} <= {*NAMES}:
        what = "versions"
        way_out = "Install those to continue there, or name another directory."
    changes = ", ".join(
        f"{name} {theirs.get(name)} (now {mine.get(name)})"
        for name in different
    )
    raise UserError(
        f"{directory} was made with other {what}: {changes}. {way_out}"
    )


def write_settings(directory, settings):
    """Writes the settings of a directory's rows."""
    text = json.dumps(settings, indent=1) + "\n"
    replace_file(directory / _SETTINGS, text)
