import pytest

from tuning.study.progress import Progress
from tuning.study.progress import open_console
from tuning.study.progress import results_table
from tuning.study.protocol import Protocol
from tuning.study.rows import Cell
from tuning.study.rows import Result
from tuning.study.rows import Status

CELL = Cell("dot", "random", "dense", 2, "relu", 7)
MESSAGE = "ValueError: [/red] [bold]no markup[/] [/nothing]"
FAILED = Result.of(CELL, status=Status.FAILED, message=MESSAGE)
DONE = Result.of(
    CELL,
    status=Status.DONE,
    accuracy=0.5,
    skill=-1.25,
    learning_rate=1e-3,
    steps=30_000,
)


@pytest.fixture
def console(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    return open_console()


class SomeJob:
    name, steps = "[/job]", 10


def test_text_from_outside_is_no_markup(console, capsys):
    with Progress(console, [CELL], Protocol()) as progress:
        progress.update(SomeJob, "result", FAILED)
        progress.update(SomeJob, "finished", None)
    assert f"relu: failed: {MESSAGE}" in capsys.readouterr().out


def test_table_of_results(console, capsys):
    console.print(results_table([FAILED, DONE]))
    lines = capsys.readouterr().out.splitlines()
    assert "seed 7" in " ".join(lines)
    (headings,) = (line.split() for line in lines if "status" in line)
    assert headings[:3] == ["network", "depth", "accuracy"]
    # The most accurate first; what was not measured is blank.
    rows = [line.split() for line in lines]
    assert [row for row in rows if row[:1] == ["dense"]] == [
        ["dense", "2", "0.5000", "-1.250", "0.001", "30,000", "done"],
        ["dense", "2", "failed"],
    ]
