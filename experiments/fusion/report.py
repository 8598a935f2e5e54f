"""The answer, the figure and the page."""

import numpy as np
from matplotlib.figure import Figure

from experiments import rates
from experiments.comparison import differences
from experiments.comparison import estimate
from experiments.comparison import sentence
from experiments.fusion.networks import BASELINES
from experiments.fusion.networks import FUSIONS
from experiments.markdown import table
from tuning.reporting.statistics import half_interval
from tuning.study.files import replace_file

REFERENCE = "concatenation"
# How the two vectors come together.
ADDING = ("concatenation", "sum")
COLORS = {"adding": "tab:blue", "multiplying": "tab:orange"}


def write(rows, settings, how, directory):
    """Writes the figure and report.md.

    Args:
        rows: List of `Row`.
        settings: `Settings`.
        how: Sentences that say when and on which machine it ran.
        directory: `pathlib.Path` of an existing directory.
    """
    draw(rows, settings).savefig(directory / "fusion.png", dpi=120)
    replace_file(directory / "report.md", page(rows, settings, how))


def chosen(rows, settings, equal, names=FUSIONS):
    """Returns the rows of each fusion at its best learning rate."""
    return {
        name: rates.chosen(
            [row for row in rows if (row.equal, row.fusion) == (equal, name)],
            settings,
        )
        for name in names
    }


def accuracies(rows, settings, equal, names=FUSIONS):
    """Returns the accuracies, a list for each fusion."""
    return {
        name: [row.accuracy for row in mine]
        for name, mine in chosen(rows, settings, equal, names).items()
    }


def answer(rows, settings):
    """Says what came out, computed from the rows."""
    lines = []
    for equal in settings.equal:
        found = accuracies(rows, settings, equal)
        best = max(found, key=lambda name: np.mean(found[name]))
        lines.append(
            f"- *At equal {equal}* {best} is right most often: "
            f"{estimate(found[best])} of the test records, and {REFERENCE} "
            f"{estimate(found[REFERENCE])}. "
            + sentence(differences(found, REFERENCE), REFERENCE)
        )
    alone = accuracies(rows, settings, settings.equal[0], BASELINES)
    said = [f"{name} {estimate(values)}" for name, values in alone.items()]
    lines.append(f"- *Baselines*, chance being 0.5: {', '.join(said)}.")
    return "\n".join(lines)


def draw(rows, settings):
    count = len(settings.equal)
    figure = Figure(figsize=(5 + 3.5 * count, 6.5), layout="constrained")
    panels = figure.subplots(1, count, sharex=True, sharey=True, squeeze=False)
    first = accuracies(rows, settings, settings.equal[0])
    order = sorted(first, key=lambda name: np.mean(first[name]))
    alone = accuracies(rows, settings, settings.equal[0], BASELINES)
    for axes, equal in zip(panels[0], settings.equal, strict=True):
        found = accuracies(rows, settings, equal)
        for place, name in enumerate(order):
            kind = "adding" if name in ADDING else "multiplying"
            _draw_one(axes, place, found[name], COLORS[kind], kind)
        for place, name in enumerate(BASELINES):
            _draw_one(axes, place - 4, alone[name], "#555555", "baseline")
        axes.axvline(0.5, color="#555555", linewidth=1)
        axes.set_title(f"equal {equal}")
        axes.set_xlabel("accuracy on letters that were not trained on")
        axes.grid(axis="x", alpha=0.3)
    panels[0, 0].set_yticks(
        [*range(-4, -4 + len(BASELINES)), *range(len(order))],
        [*BASELINES, *order],
    )
    handles, labels = panels[0, 0].get_legend_handles_labels()
    kinds = dict(zip(labels, handles, strict=True))
    figure.legend(
        kinds.values(), kinds, loc="outside right center", frameon=False
    )
    figure.suptitle("Does this picture show the letter of this name?")
    return figure


def _draw_one(axes, place, values, color, label):
    axes.scatter(values, [place] * len(values), color="#aab7c4", s=12)
    axes.errorbar(
        np.mean(values),
        place,
        xerr=np.nan_to_num(half_interval(values)),
        color=color,
        marker="o",
        markersize=5,
        capsize=3,
        label=label,
    )


def page(rows, settings, how):
    parts = [
        "# Fusion of a picture and a name",
        "",
        how,
        "",
        "Each network gets the picture of a letter and a name, and says "
        "whether the name is the letter's. Of a pair of letters each is shown "
        "with either name, so that neither tells alone. Letters to test on "
        "are others than those to train on. The encoders are the same for "
        "all: a layer of patches and a linear one for pictures, the mean of "
        "the words' embeddings and a linear layer for names. Only what makes "
        "one vector of both differs, and how wide it is.",
        "",
        f"{settings.train_records:,} records to train on. Adam, "
        f"{settings.steps:,} steps of {settings.batch_size} records, a "
        "learning rate that falls to 0 by a cosine from the one that is best "
        f"on {settings.validation_records:,} validation records, "
        f"{len(settings.seeds)} seeds of initial weights. Accuracy on "
        f"{settings.test_records:,} test records.",
        "",
        answer(rows, settings),
        "",
        "![The accuracy of each fusion](fusion.png)",
        "",
        "Grey: each seed. Bars: 95 % intervals. Differences above are paired "
        "by seed, their intervals corrected for the number of fusions.",
    ]
    for equal in settings.equal:
        names = [*FUSIONS]
        if equal == settings.equal[0]:
            names += BASELINES
        parts += [
            "",
            f"## Equal {equal}",
            "",
            table(
                ["fusion", "parameters", "learning rate", "accuracy"],
                [
                    [
                        name,
                        f"{mine[0].parameters:,}",
                        f"{mine[0].learning_rate:g}",
                        estimate([row.accuracy for row in mine]),
                    ]
                    for name, mine in chosen(
                        rows, settings, equal, names
                    ).items()
                ],
            ),
        ]
    return "\n".join([*parts, ""])
