"""Which models are saved; that they are right, the searches test."""

import json

import pytest

from tuning.study.rows import Cell
from tuning.study.rows import Result
from tuning.study.rows import Status
from tuning.study.saving import SavedModel
from tuning.study.saving import best_path
from tuning.study.saving import card_path
from tuning.study.saving import keep_if_best
from tuning.study.study import Settings
from tuning.study.study import Study
from tuning.study.table import Table


def result(accuracy, depth=1):
    cell = Cell("logical_xor", "many_hot", "dense", depth, "linear", 0)
    return Result.of(cell, accuracy=accuracy, status=Status.DONE)


def trained(row):
    """Returns what a job sends of a cell's model."""
    card = {"made_by": {"accuracy": row.accuracy}}
    return SavedModel(
        f"model of {row.accuracy}".encode(), json.dumps(card) + "\n"
    )


@pytest.mark.parametrize(
    "first, second, kept", [(0.6, 0.2, 0.6), (0.2, 0.6, 0.6), (0.5, 0.5, 0.5)]
)
def test_no_study_replaces_the_better_model_of_another(
    first, second, kept, tmp_path
):
    models = tmp_path / "models"
    models.mkdir()
    for accuracy in (first, second):
        row = result(accuracy)
        keep_if_best(models, row, trained(row))
    path = best_path(models, row.cell)
    assert path.read_text() == f"model of {kept}"
    assert (
        json.loads(card_path(path).read_text())["made_by"]["accuracy"] == kept
    )
    assert {each.name for each in models.iterdir()} == {
        path.name,
        card_path(path).name,
        ".lock",
    }


def test_a_model_that_is_lost_is_made_again(tmp_path, monkeypatch):
    rows = [result(0.4, 1), result(0.9, 2), result(0.5, 3)]
    Table(tmp_path / "results.csv", Result).append(rows)
    study = Study(
        tmp_path, [row.cell for row in rows], Settings(), tmp_path / "models"
    )
    jobs = []

    def run_jobs(given, _):
        jobs.extend(given)
        yield given[0], "model", trained(rows[1])
        yield given[0], "result", rows[1]

    monkeypatch.setattr("tuning.study.study.run_jobs", run_jobs)
    (tmp_path / "settings.json").write_text(
        json.dumps(study.settings.fingerprint())
    )
    with study.open():
        assert study.missing() == [rows[1].cell]
        assert [kind for _, kind, _ in study.run()] == ["model", "result"]
        assert {job.cells for job in jobs} == {(rows[1].cell,)}
        assert study.missing() == []
        assert set(study.rows()) == set(rows)
    assert best_path(tmp_path / "models", rows[1].cell).exists()
