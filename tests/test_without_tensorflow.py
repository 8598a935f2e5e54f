"""The main job runs where TensorFlow is not installed."""

import csv
import os
import subprocess
import sys

import pytest
from support.processes import ROOT
from support.processes import start_search

pytestmark = pytest.mark.backends("jax", "torch")

# Found by every Python process whose path it is on, also the workers.
SITECUSTOMIZE = """
from importlib.machinery import PathFinder

find_spec = PathFinder.find_spec

def find_all_but_tensorflow(name, path=None, target=None):
    if name.partition(".")[0] != "tensorflow":
        return find_spec(name, path, target)

PathFinder.find_spec = staticmethod(find_all_but_tensorflow)
"""


def test_search(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(SITECUSTOMIZE)
    process = start_search(
        [
            *("--data-dir", str(tmp_path / "data")),
            *("--directory", str(tmp_path / "results")),
            *("--train-records", "640"),
            *("--search-steps", "4"),
            *("--train-steps", "8"),
            *("--learning-rate", "0.001"),
            *("--network", "multiply_simple", "dense_residual"),
            *("--activation", "linear"),
            *("--depth", "1", "2"),
            *("--save-best", str(tmp_path / "models")),
        ],
        python_path=[tmp_path],
    )
    output, error = process.communicate()
    assert process.returncode == 0, error
    with open(tmp_path / "results" / "results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["done", "done"], output
    assert (tmp_path / "models" / "logical_xor_many_hot.keras").exists()


def test_data_and_layers(tmp_path):
    """Also that TensorFlow cannot be imported in such a process."""
    (tmp_path / "sitecustomize.py").write_text(SITECUSTOMIZE)
    program = """
import sys
import tasks
import tensorflow_datasets as tfds
from kmul import layers
import tuning

(a, b), label = tasks.load(
    "logical_xor", "many_hot", "test", data_dir=sys.argv[1], train_records=640
)
print(layers.MultiplyUnit(3)([a[:5], b[:5]]).shape, tuning.Population.__name__)
try:
    import tensorflow
except ModuleNotFoundError as error:
    print(error)
"""
    output = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "data")],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    first, second = output.splitlines()
    assert "5, 3" in first and "Population" in first
    assert second == "No module named 'tensorflow'"
