import dataclasses
import pathlib

import pytest

from tuning.study.rows import Cell
from tuning.study.rows import Result
from tuning.study.rows import Status
from tuning.study.rows import Trial
from tuning.study.rows import columns
from tuning.study.table import Table

CELL = Cell("dot", "random", "dense", 2, "relu", 7)
EXPERIMENTS = pathlib.Path(__file__).parents[3] / "experiments"


def test_columns_are_those_promised():
    assert ",".join(columns(Result)) == (
        "task,inputs,network,depth,activation,seed,accuracy,loss,"
        "constant_accuracy,skill,learning_rate,steps,seconds,parameters,"
        "backend,device,status,message,choices,success,relative_loss,protocol,"
        "accuracy_with_skips"
    )
    assert ",".join(columns(Trial)) == (
        "task,inputs,network,depth,activation,seed,learning_rate,accuracy,"
        "loss,steps,status,message,choices"
    )


def test_a_row_knows_its_cell():
    row = Trial.of(CELL, learning_rate=0.1, status=Status.FAILED)
    assert row.cell == CELL and row.seed == 7
    assert str(row.cell) == "dot on random: dense, depth 2, relu"


def test_a_result_that_is_done_has_an_accuracy():
    Result.of(CELL, status=Status.FAILED)
    with pytest.raises(ValueError, match="that is done has no accuracy"):
        Result.of(CELL, status=Status.DONE)


def test_a_status_is_one_of_those_known():
    status = columns(Result)["status"]
    assert status.from_text("diverged") is Status.DIVERGED
    assert status.to_text(Status.DIVERGED) == "diverged"
    with pytest.raises(
        ValueError,
        match="status is 'fine', not one of done, trivial, diverged, failed",
    ):
        status.from_text("fine")


@pytest.mark.parametrize(
    "name, text", [("depth", ""), ("seed", "1.5"), ("steps", "many")]
)
def test_integers(name, text):
    with pytest.raises(ValueError, match=f"{name} is '{text}', not an integer"):
        columns(Result)[name].from_text(text)


def test_how_values_are_shown():
    known = columns(Result)
    assert known["constant_accuracy"].heading == "constant"
    assert known["constant_accuracy"].show(0.5) == "0.5000"
    assert known["steps"].show(30_000) == "30,000"
    assert known["success"].show(None) == ""


ADDED = "relative_loss,protocol,accuracy_with_skips"


def test_results_that_are_kept_are_read_and_written_alike(tmp_path):
    path = EXPERIMENTS / "whole_grid" / "results" / "results.csv"
    rows = Table(path, Result).rows
    assert all(dataclasses.is_dataclass(row) for row in rows)
    Table(tmp_path / "results.csv", Result).append(rows)
    written = (tmp_path / "results.csv").read_text().splitlines()
    # The columns that were added since are empty, and name the protocol.
    assert written[0] == f"{path.read_text().splitlines()[0]},{ADDED}"
    kept = [f"{line},,article," for line in path.read_text().splitlines()[1:]]
    assert written[1:] == kept
