"""Searches as processes of their own."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent.parent


def start_search(options, python_path=(), **environment):
    """Starts `python -m tuning.search` as the leader of a new group."""
    paths = [*map(str, python_path), str(ROOT)]
    return subprocess.Popen(
        [sys.executable, "-m", "tuning.search", *options],
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


def living_processes(group):
    """Returns the processes of a group that have not ended."""
    living = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        # After the name, which is in parentheses: state, parent, group.
        state, _, its_group = text.rpartition(")")[2].split()[:3]
        if int(its_group) == group and state != "Z":
            living.append(int(path.parent.name))
    return living
