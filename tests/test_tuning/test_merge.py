"""Parts of a search, made into one; no backend makes a difference."""

import json

import pytest

from tuning import merge
from tuning.study.rows import Cell
from tuning.study.rows import Result
from tuning.study.rows import Status
from tuning.study.rows import Trial
from tuning.study.table import Table

pytestmark = pytest.mark.backends("torch")


@pytest.fixture
def directories(tmp_path):
    return [tmp_path / name for name in ("all", "one", "two")]


def write(directory, accuracies, **settings):
    """Makes a directory of cells, by depth; those without accuracy failed."""
    directory.mkdir()
    (directory / "settings.json").write_text(json.dumps(settings))
    results, trials = [], []
    for depth, accuracy in accuracies.items():
        cell = Cell("dot", "random", "dense", depth, "linear", 0)
        status = Status.FAILED if accuracy is None else Status.DONE
        values = dict(accuracy=accuracy, status=status)
        results.append(Result.of(cell, **values))
        trials.append(Trial.of(cell, learning_rate=0.1, **values))
    Table(directory / "results.csv", Result).append(results)
    Table(directory / "trials.csv", Trial).append(trials)


def read(directory):
    tables = {}
    for name, row_class in (("results.csv", Result), ("trials.csv", Trial)):
        rows = Table(directory / name, row_class).rows
        tables[name] = {row.depth: row.accuracy for row in rows}
        assert len(rows) == len(tables[name])
    assert tables["results.csv"] == tables["trials.csv"]
    return tables["results.csv"]


def run(target, *sources):
    return merge.main([*map(str, sources), "--directory", str(target)])


def test_each_cell_counts_once(directories, capsys):
    target, one, two = directories
    write(one, {1: 0.1, 2: None, 3: None})
    write(two, {1: 0.9, 2: 0.2, 4: 0.4})
    assert run(target, one, two) == 0
    expected = {1: 0.1, 2: 0.2, 3: None, 4: 0.4}
    assert read(target) == expected
    assert "4 cells are in" in capsys.readouterr().out
    # Again, and with later results.
    assert run(target, one, two) == 0
    assert read(target) == expected
    write(directories[0].with_name("three"), {3: 0.3, 4: 0.9})
    assert run(target, target.with_name("three")) == 0
    assert read(target) == {**expected, 3: 0.3}


def test_what_is_refused(directories, capsys):
    target, one, two = directories

    def refused():
        assert run(target, one, two) == 2
        line = capsys.readouterr().err
        assert line.count("\n") == 1 and line.startswith("merge: error: ")
        assert not target.exists()
        return line

    write(one, {1: 0.1}, batch_size=32)
    assert f"{two} has no results.csv" in refused()
    write(two, {2: 0.2}, batch_size=64)
    assert "was made with other settings: batch_size 64 (now 32)" in refused()
    (two / "settings.json").unlink()
    assert "has results, but no settings.json" in refused()
