"""Which models are saved; that they are right, the searches test."""

import json

import pytest

from tuning.study.rows import Cell
from tuning.study.rows import Result
from tuning.study.rows import Status
from tuning.study.saving import best_path
from tuning.study.saving import candidate_path
from tuning.study.saving import card_path
from tuning.study.saving import keep_if_best
from tuning.study.study import Settings
from tuning.study.study import Study
from tuning.study.table import Table


def result(accuracy, depth=1):
    cell = Cell("logical_xor", "many_hot", "dense", depth, "linear", 0)
    return Result.of(cell, accuracy=accuracy, status=Status.DONE)


def trained(directory, row):
    """Leaves the files that a job leaves of a cell."""
    path = candidate_path(directory, row.cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"model of {row.accuracy}")
    card = {"made_by": {"accuracy": row.accuracy}}
    card_path(path).write_text(json.dumps(card))
    return row


@pytest.mark.parametrize(
    "first, second, kept", [(0.6, 0.2, 0.6), (0.2, 0.6, 0.6), (0.5, 0.5, 0.5)]
)
def test_no_study_replaces_the_better_model_of_another(
    first, second, kept, tmp_path
):
    models = tmp_path / "models"
    models.mkdir()
    for name, accuracy in (("one", first), ("other", second)):
        row = trained(tmp_path / name, result(accuracy))
        keep_if_best(tmp_path / name, models, row)
        assert not candidate_path(tmp_path / name, row.cell).exists()
    path = best_path(models, row.cell)
    assert path.read_text() == f"model of {kept}"
    assert (
        json.loads(card_path(path).read_text())["made_by"]["accuracy"] == kept
    )
    assert {each.suffix for each in models.iterdir()} == {".keras", ".json"}


def test_a_model_that_is_lost_is_made_again(tmp_path, monkeypatch):
    rows = [result(0.4, 1), result(0.9, 2), result(0.5, 3)]
    Table(tmp_path / "results.csv", Result).append(rows)
    study = Study(
        tmp_path, [row.cell for row in rows], Settings(), tmp_path / "models"
    )
    jobs = []

    def run_jobs(given, _):
        jobs.extend(given)
        trained(tmp_path, rows[1])
        yield given[0], "result", rows[1]

    monkeypatch.setattr("tuning.study.study.run_jobs", run_jobs)
    (tmp_path / "settings.json").write_text(
        json.dumps(study.settings.fingerprint())
    )
    with study.open():
        assert study.missing() == [rows[1].cell]
        assert [kind for _, kind, _ in study.run()] == ["result"]
        assert {job.cells for job in jobs} == {(rows[1].cell,)}
        assert study.missing() == []
        assert set(study.rows()) == set(rows)
    assert best_path(tmp_path / "models", rows[1].cell).exists()
