"""Searching together comes to the same as stock KerasTuner and `fit`."""

import pytest

import tasks
from benchmarks import one_by_one
from tuning.problems.data import DataSettings
from tuning.study.cells import select_cells
from tuning.study.job import Job
from tuning.study.job import run_job
from tuning.study.protocol import Protocol

# KerasTuner's, of names that Python has replaced.
pytestmark = [
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
]
SIZE = {"train_records": 640}


def run(function, data_dir):
    """Returns the trials and results of two seeds, in order."""
    tasks.load("logical_xor", "many_hot", data_dir=data_dir, **SIZE)
    cells = select_cells(
        ["logical_xor"],
        None,
        ["multiply_simple"],
        ["linear"],
        ["all"],
        range(2),
    )
    protocol = Protocol(
        search_steps=4,
        train_steps=8,
        check_steps=8,
        learning_rates=(0.001, 0.01),
    )
    data = DataSettings(str(data_dir), **SIZE)
    rows = []

    def send(kind, content):
        assert kind != "failure", content[1]
        if kind in ("trials", "result"):
            rows.extend(content if kind == "trials" else [content])

    function(Job(tuple(cells), protocol, data), send)
    return sorted(
        rows, key=lambda row: (row.steps, row.seed, row.learning_rate)
    )


def test_one_by_one_comes_to_the_same(tmp_path):
    data_dir = tmp_path / "data"
    together = run(run_job, data_dir)
    apart = run(one_by_one.run_job, data_dir)
    assert len(together) == len(apart) == 2 * 2 + 2
    for mine, theirs in zip(together, apart, strict=True):
        assert type(mine) is type(theirs)
        assert mine.cell == theirs.cell
        assert mine.learning_rate == theirs.learning_rate
        assert mine.steps == theirs.steps
        assert mine.loss == pytest.approx(theirs.loss, rel=1e-3)
        assert mine.accuracy == pytest.approx(theirs.accuracy, rel=1e-3)
