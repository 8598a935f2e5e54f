"""The known layers' results, which every card is compared with.

    KERAS_BACKEND=jax python -m tuning.cards.known [LAYER ...]

makes the cards of layers, of all of them unless some are named, and adds them
to `known.json`. Those that are there already stay, so that the same command
resumes what was stopped.
"""

import functools
import json
import pathlib
import sys

PATH = pathlib.Path(__file__).with_name("known.json")
# Beside those of `kmul.layers`, as they are by default: forms of these, and
# layers of Keras.
OTHERS = (
    "keras.layers:Dense",
    "keras.layers:Conv2D",
    "keras.layers:Multiply",
    "keras.layers:Add",
    "keras.layers:Dot axes=1",
    "tuning.cards.others:mlp hidden_units=16",
    "tuning.cards.others:mlp hidden_units=64",
    "tuning.cards.others:mlp hidden_units=256",
    "tuning.cards.others:PairAttention",
    "multiplicative_interaction form=low_rank,rank=16",
    "multiplicative_interaction form=diagonal",
    "multiplicative_interaction form=scalar",
    "gated_dense gate_activation=linear",
    "gated_dense gate_activation=silu",
    "polynomial_dense form=ncp",
    "film residual=False",
    "polynomial_block_2d form=regularized",
)


@functools.cache
def known_layers():
    """Returns the results that ship with the package.

    Returns:
        A dictionary of `made`, how and when they were made, and `layers`, a
        list of a dictionary for each layer: `name`, `kind`, `scores`, `cost`.
    """
    return json.loads(PATH.read_text(encoding="utf-8"))


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


def merge(card, path=PATH):
    """Adds a card's layers to those of a file, and replaces equal ones."""
    path = pathlib.Path(path)
    known = {"made": card.made, "layers": []}
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        # As JSON both: a tuple is a list there.
        settings = json.loads(json.dumps(card.made["settings"]))
        if before["made"].get("settings") == settings:
            known["layers"] = before["layers"]
    rows = {each["name"]: each for each in known["layers"]}
    for layer in card.layers:
        rows[layer["name"]] = {
            "name": layer["name"],
            "kind": layer["kind"],
            "scores": {k: round(v, 3) for k, v in layer["scores"].items()},
            "cost": layer["cost"],
            "verdict": layer["verdict"],
        }
    known["layers"] = sorted(rows.values(), key=lambda each: each["name"])
    path.write_text(
        json.dumps(known, indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )


def main(texts):
    from tuning.cards.report import report_card
    from tuning.cards.subjects import subject_of
    from tuning.networks.layers import LAYERS
    from tuning.study.workers import hide_tensorflow

    hide_tensorflow()
    done = {each["name"] for each in known_layers()["layers"]}
    for text in texts or (*OTHERS, *LAYERS):
        subject = subject_of(text)
        if subject.name in done:
            continue
        card = report_card(subject, budget=None, backends=())
        merge(card)
        print(card, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
