import dataclasses

import pytest

from experiments.runs import Runs
from experiments.runs import from_command_line
from tuning.errors import UserError


@dataclasses.dataclass(frozen=True)
class Settings:
    steps: int = 10


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    number: int
    share: float
    good: bool
    seconds: float = 30.0
    curve: list[float] | None = None


ROWS = [
    Row("a", 1, 0.5, True),
    Row("b", 2, 1e-9, False, curve=[[0.25, 1e-3], [1.5, 2.0]]),
]


def start(*arguments):
    return from_command_line(
        "tried", "Tries it.", Settings(), Settings(1), Row, [*arguments]
    )


def double(job, send):
    if job < 0:
        raise RuntimeError("too small")
    send("rows", [Row(str(job), 2 * job, 0.0, True)])


def test_rows_are_as_they_were(tmp_path):
    Runs(tmp_path, Settings(), Row).add(ROWS)
    runs = Runs(tmp_path, Settings(), Row)
    assert runs.rows == ROWS
    assert "All trainings together took 1.0 minutes" in runs.how()


def test_command_line(tmp_path, capsys):
    directory = tmp_path / "new" / "folder"
    runs, settings = start("--quick", "--directory", str(directory))
    assert settings == Settings(1) and directory.is_dir()
    runs.add(ROWS)
    del runs
    again, _ = start("--quick", "--directory", str(directory))
    assert again.rows == ROWS
    del again
    with pytest.raises(SystemExit):
        start("--directory", str(directory))
    assert (
        "was made with other settings: steps 1 (now 10)"
        in capsys.readouterr().err
    )


def test_a_directory_that_is_a_file(tmp_path, capsys):
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(SystemExit):
        start("--directory", str(path))
    assert f"Cannot write to {path}: " in capsys.readouterr().err


def test_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("tuning.study.workers.processors", lambda: [0])
    runs = Runs(tmp_path, Settings(), Row)
    runs.run([1, 2], double, lambda row: f"{row.name} gave {row.number}")
    assert {row.number for row in runs.rows} == {2, 4}
    assert "2 gave 4" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        runs.run([-1], double, str)
    assert "too small" in str(stopped.value)
    lines = (tmp_path / "results.csv").read_text().splitlines()
    assert len(lines) == 1 + 2


def test_one_process_at_a_time(tmp_path):
    runs = Runs(tmp_path, Settings(), Row)
    with pytest.raises(UserError, match="Another process is running in"):
        Runs(tmp_path, Settings(), Row)
    runs.add(ROWS)
    del runs
    assert Runs(tmp_path, Settings(), Row).rows == ROWS


def test_interrupted(tmp_path, monkeypatch, capsys):
    def interrupted(jobs, work):
        yield 1, "rows", ROWS
        raise KeyboardInterrupt

    monkeypatch.setattr("experiments.runs.run_jobs", interrupted)
    runs = Runs(tmp_path, Settings(), Row)
    with pytest.raises(SystemExit) as stopped:
        runs.run([1], double, str)
    assert stopped.value.code == 130
    assert "The same command resumes it" in capsys.readouterr().out
    assert runs.rows == ROWS
