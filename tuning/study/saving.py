"""Trained models in files, each with a card that says what it is."""

import dataclasses
import datetime
import importlib.metadata
import json
import pathlib

import keras
import numpy as np

import kmul  # noqa: F401 (loading a model needs its layers registered)
from tasks.packed.locks import locked
from tuning.study.files import as_file_name
from tuning.study.files import replace_file
from tuning.study.files import scratch


@dataclasses.dataclass(frozen=True)
class SavedModel:
    """The files of a model, to be sent to where they are kept.

    Attributes:
        model: Content of the `.keras` file.
        card: Text of the card.
    """

    model: bytes
    card: str


def best_path(directory, cell):
    """Returns where the best model of a cell's task goes."""
    name = f"{cell.task}_{cell.inputs}.keras"
    return pathlib.Path(directory) / as_file_name(name)


def card_path(path):
    """Returns where the card of a saved model is."""
    return pathlib.Path(path).with_suffix(".json")


def save_model(model, weights, row, example):
    """Saves a model for inference, with a card.

    The card holds how the model was made, its scores and sizes, and an example
    of inputs and predictions, by which a loaded model can be checked.

    Args:
        model: A Keras model; it is not changed.
        weights: The weights to save, in the order of `model.get_weights`.
        row: The `tuning.study.rows.Result` that describes it.
        example: An array of inputs, or a list of them.

    Returns:
        A `SavedModel`.
    """
    example = keras.tree.flatten(example)
    # A fresh model is not compiled, and has no optimizer to save.
    copy = keras.models.clone_model(model)
    copy.set_weights(weights)
    with scratch() as folder:
        path = pathlib.Path(folder, "model.keras")
        copy.save(path)
        content = path.read_bytes()
    card = {
        "made_by": dataclasses.asdict(row),
        "date": datetime.date.today().isoformat(),
        "keras": importlib.metadata.version("keras"),
        "bytes": len(content),
        "weights": [list(np.shape(each)) for each in weights],
        "example": {
            "inputs": [np.asarray(each).tolist() for each in example],
            "outputs": _predictions(copy, example).tolist(),
        },
    }
    return SavedModel(content, json.dumps(card, indent=1) + "\n")


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


def keep_if_best(target, row, saved):
    """Puts a cell's model where its task's best is, if it is better.

    Args:
        target: The directory of best models, which other studies may share.
        row: The cell's `Result`.
        saved: Its `SavedModel`.
    """
    best = best_path(target, row.cell)
    with locked(target / ".lock"):
        if is_better(row, best):
            replace_file(best, saved.model)
            replace_file(card_path(best), saved.card)


def is_better(row, path):
    """Whether a result is better than a saved model, or there is none."""
    if not path.exists():
        return True
    try:
        card = json.loads(card_path(path).read_text(encoding="utf-8"))
        accuracy = float(card["made_by"]["accuracy"])
    except (KeyError, OSError, RecursionError, TypeError, ValueError):
        return True
    # A table has nine digits.
    return row.accuracy > accuracy + 1e-8
