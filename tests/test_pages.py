"""The examples of pages, and of the docstrings of tasks and tuners, run."""

import pathlib

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

# Backends differ in nothing that these show, and torch starts the fastest.
pytestmark = [
    pytest.mark.backends("torch"),
    # KerasTuner asks for a thread's name in an old way.
    pytest.mark.filterwarnings("ignore:currentThread", "ignore:getName"),
    # Nobody sees the pictures that pages draw.
    pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive"),
]
ROOT = pathlib.Path(__file__).parent.parent
FILES = [
    path
    for path in sorted(ROOT.rglob("*.md"))
    # Hidden folders and results are not part of the project.
    if not path.relative_to(ROOT).parts[0].startswith((".", "results"))
]


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


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if python_blocks(path.read_text("utf-8"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_examples_of_pages_run(path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    found = names()
    run_blocks(path.read_text("utf-8"), found)
    if path == ROOT / "README.md":
        # After five epochs, as the text says.
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
