import sys

import pytest

from benchmarks import search
from tuning.problems.data import DataSettings

# KerasTuner's, of names that Python has replaced.
pytestmark = [
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
]


def few_records(data_dir):
    return DataSettings(data_dir, train_records=640)


def test_grid(tmp_path, monkeypatch, capsys):
    """A few steps of one task, in this process, beside stock KerasTuner."""
    monkeypatch.setattr("tuning.study.workers.processors", lambda: [0])
    monkeypatch.setattr(search, "PAIRS", search.PAIRS[-1:])
    monkeypatch.setattr(search, "DataSettings", few_records)
    arguments = [
        *("search", "grid", "--steps", "2", "--turns", "1"),
        *("--network", "multiply_simple", "--data-dir", str(tmp_path)),
    ]
    monkeypatch.setattr(sys, "argv", arguments)
    search.main()
    out = capsys.readouterr().out
    assert "grid of 9 rates × 2 steps, a task" in out
    assert "memory, all processes" in out


def test_roofline():
    arithmetic, traffic = search.roofline_seconds((1e9, 1e9))
    # Three products forward, four backward.
    assert arithmetic == pytest.approx(2 * 7 * 32 * 128 * 256 / 1e9)
    weights = 2 * 129 * 256 + 257 * 128
    assert traffic == pytest.approx(7 * 4 * weights / 1e9)
