"""Trained models in files, each with a card that says what it is."""

import dataclasses
import datetime
import importlib.metadata
import json
import pathlib

import keras
import numpy as np

import kmul  # noqa: F401 (loading a model needs its layers registered)
from tuning.study.files import as_file_name
from tuning.study.files import locked
from tuning.study.files import replace_file
from tuning.study.files import scratch_path


def candidate_path(directory, cell):
    """Returns where a study keeps the model of a cell for the time being."""
    name = (
        f"{cell.task}_{cell.inputs}_{cell.network}_{cell.depth}"
        f"_{cell.activation}_{cell.seed}.keras"
    )
    return scratch_path(directory) / "models" / as_file_name(name)


def best_path(directory, cell):
    """Returns where the best model of a cell's task goes."""
    name = f"{cell.task}_{cell.inputs}.keras"
    return pathlib.Path(directory) / as_file_name(name)


def card_path(path):
    """Returns where the card of a saved model is."""
    return pathlib.Path(path).with_suffix(".json")


def save_model(path, model, weights, row, example):
    """Saves a model for inference, and its card beside it.

    The card holds how the model was made, its scores and sizes, and an example
    of inputs and predictions, by which a loaded model can be checked.

    Args:
        path: Where to, ending in `.keras`.
        model: A Keras model; it is not changed.
        weights: The weights to save, in the order of `model.get_weights`.
        row: The `tuning.study.rows.Result` that describes it.
        example: An array of inputs, or a list of them.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    example = keras.tree.flatten(example)
    # A fresh model is not compiled, and has no optimizer to save.
    copy = keras.models.clone_model(model)
    copy.set_weights(weights)
    copy.save(path)
    card = {
        "made_by": dataclasses.asdict(row),
        "date": datetime.date.today().isoformat(),
        "keras": importlib.metadata.version("keras"),
        "bytes": path.stat().st_size,
        "weights": [list(np.shape(each)) for each in weights],
        "example": {
            "inputs": [np.asarray(each).tolist() for each in example],
            "outputs": _predictions(copy, example).tolist(),
        },
    }
    card_path(path).write_text(json.dumps(card, indent=1) + "\n")


def check_model(path):
    """Loads a saved model and compares its predictions with its card.

    Args:
        path: Path of the `.keras` file.

    Returns:
        The largest difference, absolute or relative to the prediction,
        whichever is smaller, over all elements.
    """
    model = keras.saving.load_model(path)
    example = json.loads(card_path(path).read_text())["example"]
    inputs = [np.array(each, "float32") for each in example["inputs"]]
    stored = np.array(example["outputs"], "float32")
    error = np.abs(_predictions(model, inputs) - stored)
    return float((error / np.maximum(1, np.abs(stored))).max())


def _predictions(model, inputs):
    inputs = [keras.ops.convert_to_tensor(each) for each in inputs]
    outputs = model(inputs if len(inputs) > 1 else inputs[0])
    return keras.ops.convert_to_numpy(outputs)


def keep_if_best(directory, target, row):
    """Moves a cell's model to where its task's best is, if it is better.

    Args:
        directory: The study's directory.
        target: The directory of best models, which other studies may share.
        row: The cell's `Result`.
    """
    candidate = candidate_path(directory, row.cell)
    if not candidate.exists():
        return
    best = best_path(target, row.cell)
    with locked(best.parent):
        if is_better(row, best):
            _move_model(candidate, best)
            return
    candidate.unlink()
    card_path(candidate).unlink()


def is_better(row, path):
    """Whether a result is better than a saved model, or there is none."""
    if not path.exists():
        return True
    try:
        card = json.loads(card_path(path).read_text(encoding="utf-8"))
        accuracy = float(card["made_by"]["accuracy"])
    except (KeyError, OSError, TypeError, ValueError):
        return True
    # A table has nine digits.
    return row.accuracy > accuracy + 1e-8


def _move_model(path, target):
    """Moves a saved model and its card, each as a whole."""
    for source, goal in ((path, target), (card_path(path), card_path(target))):
        replace_file(goal, pathlib.Path(source).read_bytes())
        pathlib.Path(source).unlink()
