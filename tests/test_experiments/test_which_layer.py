import re
import sys

import pytest

from experiments.which_layer import parts
from experiments.which_layer import picture
from experiments.which_layer.__main__ import main
from tuning.networks.layers import LAYERS
from tuning.study.protocol import Protocol

# KerasTuner's, of names that Python has replaced.
pytestmark = [
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
]

NETWORKS = {
    "numbers": ["dense", "film:residual=False"],
    "pictures": ["keras.layers:Conv2D"],
}


@pytest.fixture
def tiny(monkeypatch):
    """One task, two layers, a few steps, in this process."""
    monkeypatch.setattr("tuning.study.workers.processors", lambda: [0])
    values = {
        "PROTOCOL": Protocol(
            search_steps=2,
            train_steps=4,
            check_steps=4,
            learning_rates=(1e-3,),
        ),
        "PARTS": (
            parts.Part(
                "numbers",
                {("arithmetic_ops/add", "uniform"): "s + t"},
                "dense",
                ("arithmetic_ops/add", "uniform"),
                timed_steps=2,
            ),
            parts.Part(
                "pictures",
                {("placed_digits/digit", "images"): "digit"},
                "cnn",
                ("placed_digits/digit", "images"),
                depth=2,
                activations=("linear", "relu"),
                timed_steps=2,
            ),
        ),
        "TRAIN_RECORDS": 64,
        "ROUNDS": 1,
        "SEEDS": 2,
        "networks_of": lambda part: NETWORKS[part.name],
    }
    for name, value in values.items():
        monkeypatch.setattr(parts, name, value)


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["which_layer", *map(str, arguments)])
    main()


def test_only_the_tables_are_replaced(tiny, tmp_path, monkeypatch, capsys):
    page = tmp_path / "page.md"
    (first, second), (third, fourth) = (p.marks for p in parts.PARTS)
    page.write_text(f"1\n{first}old{second}\n2\n{third}{fourth}\n3\n")
    run(monkeypatch, "--directory", tmp_path / "results", "--page", page)
    text = page.read_text()
    pieces = re.split(r"<!-- \w+: .*? -->", text)
    assert pieces[::2] == ["1\n", "\n2\n", "\n3\n"]
    numbers, pictures = (
        [line for line in part.splitlines() if line.startswith("|")]
        for part in pieces[1::2]
    )
    assert numbers[0] == "| layer | s + t | parameters | step time |"
    assert {line.split(" | ")[0] for line in numbers[2:]} == {
        "| `dense`",
        "| `film:residual=False`",
    }
    dense = next(line for line in numbers if "`dense`" in line)
    assert dense.split(" | ")[2] == "26,113"
    assert pictures[0] == "| layer | digit | parameters | step time |"
    assert {line.split(" | ")[0] for line in pictures[2:]} == {
        f"| `{name}`{activation}"
        for name in NETWORKS["pictures"]
        for activation in ("", ", relu")
    }
    assert text.count("Mean skill over 2 seeds") == 2


def test_a_page_without_a_place(tiny, tmp_path, monkeypatch, capsys):
    page = tmp_path / "page.md"
    page.write_text("nothing")
    with pytest.raises(SystemExit):
        run(monkeypatch, "--page", page)
    assert "page.md: it should have <!-- numbers: " in capsys.readouterr().err


def test_a_page_that_is_not_there(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, "--page", tmp_path / "page.md")
    assert "page.md: there is no such file" in capsys.readouterr().err


def test_every_layer_is_in_a_table():
    names = [parts.networks_of(part) for part in parts.PARTS]
    assert {*LAYERS} < {name for part in names for name in part}
    assert not {*names[0]} & {*names[1]}


def test_picture_has_a_skill_in_each_cell():
    skills = picture.skills()
    assert skills.shape == (len(picture.LAYERS), len(picture.FUNCTIONS))
    assert skills.notna().all(axis=None)
    # The numbers of docs/which_layer.md.
    assert skills.loc["dense", ("dot", "random")] == 0
    assert round(skills.loc["multiply_unit", ("reduce_sum", "random")], 2) == (
        0.44
    )
