"""Links and commands of the Markdown files lead somewhere; examples run."""

import importlib.util
import pathlib
import re

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow_datasets as tfds
from support.blocks import python_blocks
from support.blocks import run_blocks

import tuning
from tasks import arithmetic_ops
from tasks.arithmetic_ops import arithmetic_ops_dataset_builder
from tasks.placed_digits import placed_digits_dataset_builder
from tasks.reasoning_ops import reasoning_ops_dataset_builder

ROOT = pathlib.Path(__file__).parent.parent
# Whatever is in hidden folders, or in results, is not part of the project.
FILES = [
    path
    for path in sorted(ROOT.rglob("*.md"))
    if not path.relative_to(ROOT).parts[0].startswith((".", "results"))
]


def anchors(path):
    """Returns the names that a file's headings have in a link.

    `::: module.Name` stands for the docstring, whose heading has that name.
    """
    text = path.read_text("utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    } | {*re.findall(r"^::: (.*)$", text, re.MULTILINE)}


def missing_links(path):
    """Returns the relative links of a file that lead nowhere."""
    text = re.sub(
        r"```.*?```|`[^`\n]*`", "", path.read_text("utf-8"), flags=re.S
    )
    missing = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if ":" in link:
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    return missing


def missing_modules(path):
    """Returns the modules that a file runs with `python -m`, but are not."""
    names = re.findall(r"python -m ([\w.]+\w)", path.read_text("utf-8"))
    missing = []
    for name in sorted({*names}):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            spec = importlib.util.find_spec(f"{name}.__main__")
        if spec is None:
            missing.append(name)
    return missing


@pytest.mark.parametrize("path", FILES, ids=lambda x: str(x.relative_to(ROOT)))
def test_links_and_commands_lead_somewhere(path):
    assert missing_links(path) == []
    assert missing_modules(path) == []


def test_finds_what_leads_nowhere(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(
        "# A title: here\n[1](none.md) [2](page.md#a-title-here) [3](#none)\n"
        "`[4](code.md)` [5](https://example.com) ![6](none.png)\n"
        "python -m json.tool, `python -m json.none`, python -m tuning.\n"
    )
    assert missing_links(path) == ["none.md", "#none", "none.png"]
    assert missing_modules(path) == ["json.none", "tuning"]


def small_model(hp=None):
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log") if hp else 1e-2
    model.compile(keras.optimizers.Adam(rate), "mse", metrics=["accuracy"])
    return model


def names():
    """The names that an example may use without saying where they are from."""
    rng = np.random.default_rng(0)
    x, x_val = rng.normal(size=(2, 32, 8)).astype("float32")
    y, y_val = rng.normal(size=(2, 32, 1)).astype("float32")
    a, b = rng.normal(size=(2, 32, 128)).astype("float32")
    return {
        "keras": keras,
        "keras_tuner": keras_tuner,
        "np": np,
        "tfds": tfds,
        "tuning": tuning,
        "arithmetic_ops": arithmetic_ops,
        **vars(arithmetic_ops_dataset_builder),
        **vars(placed_digits_dataset_builder),
        **vars(reasoning_ops_dataset_builder),
        "build": small_model,
        "x": x,
        "y": y,
        "x_val": x_val,
        "y_val": y_val,
        "a": a,
        "b": b,
    }


# Backends differ in nothing that these show.
@pytest.mark.parametrize(
    "path",
    [path for path in FILES if python_blocks(path.read_text("utf-8"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_examples_of_pages_run(path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    run_blocks(path.read_text("utf-8"), names())


def test_first_example_keeps_its_promise():
    text = (ROOT / "README.md").read_text("utf-8")
    assert "After five epochs, in a few seconds, the loss is below 0.001" in (
        text.replace("\n", " ")
    )
    found = names()
    exec(python_blocks(text)[0], found)
    assert found["model"].history.history["loss"][-1] < 0.001


@pytest.mark.parametrize(
    "thing",
    [
        arithmetic_ops_dataset_builder.ArithmeticOpsConfig,
        placed_digits_dataset_builder.PlacedDigitsConfig,
        reasoning_ops_dataset_builder.ReasoningOpsConfig,
        tuning.GridSearch,
        tuning.Population,
        tuning.PopulationTuner,
        tuning.RandomSearch,
        arithmetic_ops.success_threshold,
    ],
    ids=lambda thing: thing.__name__,
)
def test_examples_of_docstrings_run(thing, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert python_blocks(thing.__doc__)
    run_blocks(thing.__doc__, {**names(), "model": sums_model()})


def sums_model():
    model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model
