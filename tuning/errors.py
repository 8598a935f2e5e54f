"""Errors that are the user's to mend, and a check of the installation."""

import importlib
import importlib.util
import pathlib

# The packages of the extra `tuning`, by the names they are imported by.
_NEEDED = (
    "filelock",
    "keras_tuner",
    "matplotlib",
    "pandas",
    "rich",
    "scipy",
    "tensorflow_datasets",
)
_TASKS = pathlib.Path(__file__).parents[1] / "tasks" / "__init__.py"


class UserError(Exception):
    """A request that cannot be met; the message says why."""


class InstallationError(UserError, ImportError):
    """Something is not installed, or is not what its name says."""


def check_installation():
    """Raises an `InstallationError` unless all that a search needs is there."""
    check_packages()
    check_tasks()


def check_packages():
    """Raises an `InstallationError` unless all packages are installed."""
    for name in _NEEDED:
        if importlib.util.find_spec(name) is None:
            raise InstallationError(_missing(name))


def check_tasks():
    """Raises an `InstallationError` unless `tasks` is the package beside this.

    Other packages and people's own files also have that name.
    """
    spec = importlib.util.find_spec("tasks")
    found = None if spec is None else spec.origin
    if found is None or not _TASKS.samefile(found):
        raise InstallationError(
            f"`import tasks` finds {found or 'nothing'}, not the `tasks` of "
            f"kmul, {_TASKS}. Rename it, or start from another directory."
        )
    try:
        tasks = importlib.import_module("tasks")
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] == "tasks":
            raise InstallationError(_overwritten()) from error
        raise InstallationError(_missing(error.name)) from error
    if not hasattr(tasks, "OPERATIONS"):
        raise InstallationError(_overwritten())


def _missing(name):
    return (
        f"{name} is not installed. Install it with pip install 'kmul[tuning]'."
    )


def _overwritten():
    return (
        f"{_TASKS} is not that of kmul: another package named tasks has "
        "overwritten it. Remove that, and install kmul again."
    )
