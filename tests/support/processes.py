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
