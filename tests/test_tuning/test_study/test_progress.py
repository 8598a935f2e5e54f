import dataclasses
import io

import pytest
import rich.console

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


# A terminal is no affair of the backend.
pytestmark = pytest.mark.backends("torch")


def shown(rows, width):
    console = rich.console.Console(width=width, file=io.StringIO())
    console.print(results_table(rows, width))
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    return lines


class SomeJob:
    name, steps = "[/job]", 10


def test_text_from_outside_is_no_markup_and_a_pipe_gets_whole_lines(capsys):
    with Progress(open_console(), [CELL], Protocol()) as progress:
        progress.update(SomeJob, "result", FAILED)
        progress.update(SomeJob, "finished", None)
    out = capsys.readouterr().out
    assert out == f"dot on random: dense, depth 2, relu: failed: {MESSAGE}\n"


def test_the_best_so_far_is_that_of_a_problem(capsys):
    easier = dataclasses.replace(DONE, task="concat", accuracy=0.9)
    better = dataclasses.replace(DONE, accuracy=0.6)
    with Progress(open_console(), [CELL] * 4, Protocol()) as progress:
        for row in (easier, DONE, better, DONE):
            progress.update(SomeJob, "result", row)
    lines = capsys.readouterr().out.splitlines()
    assert [line.endswith(", the best so far") for line in lines] == [
        False,
        False,
        True,
        False,
    ]


def test_table_of_results():
    lines = shown([FAILED, DONE], 120)
    assert lines[0].strip() == "activation relu, seed 7"
    (headings,) = (line.split() for line in lines if "status" in line)
    assert headings[:3] == ["network", "depth", "accuracy"]
    # The most accurate first; what was not measured is blank.
    rows = [line.split() for line in lines]
    assert [row for row in rows if row[:1] == ["dense"]] == [
        ["dense", "2", "0.5000", "-1.250", "0.001", "30,000", "done"],
        ["dense", "2", "failed"],
    ]


def test_numbers_are_whole_at_80_columns_and_trivial_problems_last():
    long = dataclasses.replace(
        DONE,
        task="elementwise_multiplication",
        network="multiplicative_interaction:form=low_rank,rank=32",
        accuracy=0.9999,
        constant_accuracy=0.1234,
        learning_rate=0.00316,
        seconds=12_345.6,
    )
    trivial = dataclasses.replace(
        long, task="a", skill=None, status=Status.TRIVIAL
    )
    lines = shown(
        [trivial, long, dataclasses.replace(FAILED, seed=8, depth=8)], 80
    )
    text = " ".join(lines)
    for number in ("0.9999", "-1.250", "0.1234", "0.00316", "30,000"):
        assert number in text
    problems = [line.strip() for line in lines if " on random" in line]
    assert problems[-1] == "a on random, trivial"
    assert len(problems) == 3


def test_a_reader_that_has_had_enough(monkeypatch):
    """As `head -1`: the command line then ends as others do."""

    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Closed())
    with pytest.raises(BrokenPipeError):
        open_console().print("text")
