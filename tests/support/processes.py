"""Searches as processes of their own."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent.parent


def start_search(options, python_path=(), before=(), **environment):
    """Starts `python -m tuning.search` as the leader of a new group.

    Args:
        options: Its options.
        python_path: Folders to import from, beside the repository.
        before: Words of a command that starts it.
        **environment: Variables of its environment.
    """
    paths = [*map(str, python_path), str(ROOT)]
    return subprocess.Popen(
        [*before, sys.executable, "-m", "tuning.search", *options],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def start_dask(kind, scheduler_file, *options, before=(), **environment):
    """Starts a Dask `scheduler` or `worker`, which imports from `tests` too."""
    options = [
        *("--scheduler-file", scheduler_file),
        "--no-dashboard",
        *options,
    ]
    if kind == "scheduler":
        options += ["--port", "0"]
    else:
        options += ["--nthreads", "1", "--memory-limit", "0"]
    return subprocess.Popen(
        [*before, sys.executable, "-m", "dask", kind, *map(str, options)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests"))),
            **environment,
        },
        stderr=subprocess.DEVNULL,
    )


def end(processes):
    """Kills processes, and waits for their end."""
    for process in processes:
        process.kill()
    for process in processes:
        process.communicate()
