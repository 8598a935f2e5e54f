"""The known layers' results, which every card is compared with.

They ship with the package. `python -m tuning.cards.make_known` makes them.
"""

import functools
import json
import math
import pathlib

import numpy as np

PATH = pathlib.Path(__file__).with_name("known.json")
PERCEPTRON = "mlp("
# How many times more or fewer parameters are about as many.
ABOUT = 1.5


@functools.cache
def known_layers():
    """Returns the results that ship with the package.

    Returns:
        A dictionary of `made`, how they were made, and `layers`, a list of a
        dictionary for each layer: `name`, `kind`, `backend`, `cost`, `seeds`,
        the skills of each seed by question, and `scores`, their means.
    """
    known = json.loads(PATH.read_text(encoding="utf-8"))
    for layer in known["layers"]:
        layer["scores"] = {
            question: float(np.mean(skills))
            for question, skills in layer["seeds"].items()
        }
    return known


def comparable(kind, settings):
    """Returns the known layers of a kind that were asked the same.

    Args:
        kind: `"vectors"` or `"images"`.
        settings: Dictionary of the `tuning.cards.asking.Settings`.
    """
    known = known_layers()
    # Tuples have become lists.
    if json.loads(json.dumps(settings)) != known["made"].get("settings"):
        return []
    return [each for each in known["layers"] if each["kind"] == kind]


def perceptron_like(layer, known):
    """Returns the known perceptron of about as many parameters, or None.

    Args:
        layer: Dictionary of a layer, with its `cost`.
        known: List of such dictionaries.
    """
    parameters = (layer["cost"] or {}).get("asked_parameters")
    if not parameters or layer["name"].startswith(PERCEPTRON):
        return None
    ratios = {
        each["name"]: abs(
            math.log(each["cost"]["asked_parameters"] / parameters)
        )
        for each in known
        if each["name"].startswith(PERCEPTRON)
    }
    name = min(ratios, key=ratios.get, default=None)
    if name is None or ratios[name] > math.log(ABOUT):
        return None
    return next(each for each in known if each["name"] == name)
