import sys

import pytest

from benchmarks import which_layer
from tuning.data import DataSettings
from tuning.protocol import Protocol

# KerasTuner's, of names that Python has replaced.
pytestmark = [
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
]


@pytest.fixture
def tiny(monkeypatch):
    """One task, two layers, a few steps, in this process."""
    monkeypatch.setattr("tuning.workers.processors", lambda: [0])
    values = {
        "PROTOCOL": Protocol(
            search_steps=2,
            train_steps=4,
            check_steps=4,
            learning_rates=(1e-3,),
        ),
        "PAIRS": (("arithmetic_ops/add", "uniform"),),
        "TIMED_PAIR": ("arithmetic_ops/add", "uniform"),
        "TIMED_STEPS": 2,
        "ROUNDS": 1,
        "SEEDS": 2,
        "usable_layers": lambda data: ["dense", "nau"],
    }
    for name, value in values.items():
        monkeypatch.setattr(which_layer, name, value)


def test_only_the_table_is_replaced(tiny, tmp_path, monkeypatch, capsys):
    page = tmp_path / "page.md"
    marks = f"{which_layer.START}\nold\n{which_layer.END}"
    page.write_text(f"before\n{marks}\nafter\n")
    arguments = ["--directory", str(tmp_path / "results"), "--page", str(page)]
    monkeypatch.setattr(sys, "argv", ["which_layer", *arguments])
    which_layer.main()
    before, table, after = (
        page.read_text()
        .replace(which_layer.END, which_layer.START)
        .split(which_layer.START)
    )
    assert (before, after) == ("before\n", "\nafter\n")
    lines = [line for line in table.splitlines() if line.startswith("|")]
    assert lines[0] == "| layer | sums: add | parameters | step time |"
    assert {line.split(" | ")[0] for line in lines[2:]} == {
        "| `dense`",
        "| `nau`",
    }
    dense = next(line for line in lines if "`dense`" in line)
    assert dense.split(" | ")[2] == "26,113"
    assert "Mean skill over 2 seeds" in table


def test_a_page_that_is_not_there(tmp_path, monkeypatch, capsys):
    arguments = ["which_layer", "--page", str(tmp_path / "page.md")]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit):
        which_layer.main()
    assert "page.md: there is no such file" in capsys.readouterr().err


@pytest.mark.backends("jax")
def test_usable_layers(monkeypatch, tmp_path):
    names = which_layer.usable_layers(DataSettings(str(tmp_path), width=8))
    assert {"dense", "multiply_unit", "nmu", "film", "mlb_fusion"} < {*names}
    assert not {"gated_conv_2d", "partial_conv_2d"} & {*names}
