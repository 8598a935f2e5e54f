"""Writes the tables of `docs/which_layer.md` from the known layers' results."""

import pathlib

import numpy as np

from experiments.markdown import table
from tuning.cards.asking import BEYOND
from tuning.cards.asking import IMAGES
from tuning.cards.asking import INSIDE
from tuning.cards.asking import WITH_RELU
from tuning.cards.asking import questions
from tuning.cards.known import known_layers
from tuning.cards.known import perceptron_like
from tuning.cards.verdict import LEARNED
from tuning.cards.verdict import ratio
from tuning.reporting.statistics import half_interval

# A row of another one says so beside its step time.
BACKEND = "jax"
PAGE = pathlib.Path(__file__).parents[2] / "docs" / "which_layer.md"
HEADINGS = {
    INSIDE: "arithmetic",
    BEYOND: "arithmetic beyond",
    IMAGES: "{}, no activation",
    WITH_RELU: "{}, relu",
}


def columns(kind):
    """Returns the questions of each column: dictionary of lists of keys."""
    found = {}
    for question in questions(kind):
        name = HEADINGS.get(question.heading, question.skill)
        found.setdefault(name.format(question.skill), []).append(question.key)
    return found


def seeds_of(layer, keys):
    """Returns the mean skill in some questions, of each seed."""
    return np.mean([layer["seeds"][key] for key in keys], axis=0)


def total(layer):
    """Returns the mean of a layer's columns."""
    return np.mean(
        [
            seeds_of(layer, keys).mean()
            for keys in columns(layer["kind"]).values()
        ]
    )


def cell(seeds):
    """Returns a mean, bold if learned, and half its interval unless tiny."""
    mean, half = float(np.mean(seeds)), half_interval(seeds)
    text = f"**{mean:.2f}**" if mean >= LEARNED else f"{mean:.2f}"
    return f"{text} ± {half:.2f}" if half >= 0.005 else text


def step_time(layer):
    """Returns how many times a step takes that of Keras's own layer."""
    if "step_time" not in layer["cost"]:
        return "–"
    text = f"{ratio(layer['cost']['step_time'])}×"
    backend = layer["backend"]
    return text if backend == BACKEND else f"{text} ({backend})"


def layers_table(kind, layers):
    """Returns the table of the layers of a kind, the best first."""
    layers = [each for each in layers if each["kind"] == kind]
    names, rows = list(columns(kind)), []
    beside = kind == "vectors"
    for layer in sorted(layers, key=total, reverse=True):
        cost = layer["cost"]
        row = [
            f"`{layer['name']}`",
            f"{total(layer):.2f}",
            *(cell(seeds_of(layer, keys)) for keys in columns(kind).values()),
            f"{cost['asked_parameters']:,}",
            step_time(layer),
        ]
        if beside:
            like = perceptron_like(layer, layers)
            row.insert(2, f"{total(like):.2f}" if like else "–")
        rows.append(row)
    head = ["layer", "mean", *names, "parameters", "step time"]
    if beside:
        head.insert(2, "perceptron")
    return table(head, rows)


def text(page):
    """Returns a page with its tables made anew, and the rest as it is."""
    known = known_layers()
    made = known["made"]
    about = (
        f"Keras {made['keras']}, {BACKEND} backend unless a row names another, "
        f"{made['device']}, {made['date']}."
    )
    for kind in ("vectors", "images"):
        start, end = f"<!-- {kind} -->", f"<!-- end of {kind} -->"
        before, _, rest = page.partition(start)
        _, _, after = rest.partition(end)
        made_anew = f"{layers_table(kind, known['layers'])}\n\n{about}"
        page = f"{before}{start}\n{made_anew}\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(text(PAGE.read_text("utf-8")), encoding="utf-8")
    print(PAGE)
