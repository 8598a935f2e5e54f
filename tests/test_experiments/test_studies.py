"""Experiments that are studies of cells."""

import pytest

from experiments.released import __main__ as released
from experiments.studies import run_in_turn
from experiments.thorough import __main__ as thorough
from experiments.widths import __main__ as widths
from tuning.errors import UserError
from tuning.study.cells import select_cells


@pytest.mark.parametrize("experiment", [released, thorough, widths])
def test_each_cell_is_of_one_study_and_exists(experiment, tmp_path):
    studies = experiment.studies(tmp_path)
    cells = [
        (study.settings.data.width, cell)
        for study in studies
        for cell in study.cells
    ]
    assert len(cells) == len(set(cells))
    for _, cell in cells:
        assert cell in select_cells(
            [cell.task],
            [cell.inputs],
            [cell.network],
            ["all"],
            ["all"],
            [cell.seed],
        )


def test_studies_that_are_finished_are_passed_over(tmp_path, monkeypatch):
    """And one whose settings are not those of the directory is refused."""
    first, *_ = thorough.studies(tmp_path)
    monkeypatch.setattr(type(first), "missing", lambda self: [])
    arguments = ["--directory", str(tmp_path)]
    run_in_turn("thorough", "", thorough.studies, arguments)
    with first.open():
        pass
    (tmp_path / "settings.json").write_text('{"name": "article"}')
    with pytest.raises(UserError, match="settings"):
        run_in_turn("thorough", "", thorough.studies, arguments)
