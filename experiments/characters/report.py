"""The answer, the figure and the page."""

import numpy as np
from matplotlib.figure import Figure

from experiments import rates
from experiments.characters.networks import WIDTHS
from experiments.comparison import differences
from experiments.comparison import estimate
from experiments.comparison import sentence
from experiments.markdown import table
from tuning.reporting.statistics import half_interval
from tuning.study.files import replace_file

REFERENCE = "LSTM"
BASELINES = ("unigram", "5-gram")


def write(rows, settings, how, directory):
    """Writes the figure and report.md.

    Args:
        rows: List of `Row`.
        settings: `Settings`.
        how: Sentences that say when and on which machine it ran.
        directory: `pathlib.Path` of an existing directory.
    """
    draw(rows, settings).savefig(directory / "characters.png", dpi=120)
    replace_file(directory / "report.md", page(rows, settings, how))


def by_network(rows, settings):
    """Returns the rows of each network at its best learning rate."""
    return {
        network: rates.chosen(
            [row for row in rows if row.network == network], settings
        )
        for network in WIDTHS
    }


def bits(rows, settings):
    """Returns the bits per character, a list for each network."""
    return {
        network: [row.bits for row in mine]
        for network, mine in by_network(rows, settings).items()
    }


def baselines(rows):
    """Returns the bits per character of each baseline."""
    found = {row.network: row.bits for row in rows}
    return {name: found[name] for name in BASELINES}


def answer(rows, settings):
    """Says what came out, computed from the rows."""
    found = bits(rows, settings)
    best = min(found, key=lambda network: np.mean(found[network]))
    said = sentence(
        differences(found, REFERENCE), REFERENCE, ("worse than", "better than")
    )
    below = [
        network
        for network in found
        if np.mean(found[network]) + half_interval(found[network])
        < baselines(rows)["5-gram"]
    ]
    return (
        f"{best} needs the fewest bits per character, {estimate(found[best])}, "
        f"and {REFERENCE} {estimate(found[REFERENCE])}. {said} A unigram model "
        f"needs {baselines(rows)['unigram']:.3f} and a 5-gram model "
        f"{baselines(rows)['5-gram']:.3f}; below the latter are "
        f"{', '.join(below) or 'none of the networks'}."
    )


def draw(rows, settings):
    found = bits(rows, settings)
    order = sorted(found, key=lambda network: -np.mean(found[network]))
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots()
    for place, network in enumerate(order):
        mine = found[network]
        axes.scatter(mine, [place] * len(mine), color="#aab7c4", s=14)
        axes.errorbar(
            np.mean(mine),
            place,
            xerr=np.nan_to_num(half_interval(mine)),
            color="tab:blue" if network == REFERENCE else "tab:orange",
            marker="o",
            capsize=3,
        )
    gram = baselines(rows)["5-gram"]
    axes.axvline(gram, color="#555555", linewidth=1)
    axes.annotate(
        " 5-gram model", (gram, len(order) - 0.6), color="#555555", va="center"
    )
    axes.set_ylim(-0.6, len(order) - 0.2)
    axes.set_yticks(range(len(order)), order)
    axes.set_xlabel("bits per character of unseen text (less is better)")
    axes.set_title("Character models of equal size")
    axes.grid(axis="x", alpha=0.3)
    return figure


def page(rows, settings, how):
    found = by_network(rows, settings)
    lines = [
        [
            network,
            f"{WIDTHS[network]}",
            f"{mine[0].parameters:,}",
            f"{mine[0].learning_rate:g}",
            estimate([row.bits for row in mine]),
        ]
        for network, mine in found.items()
    ]
    lines += [
        [name, "–", "–", "–", f"{value:.3f}"]
        for name, value in baselines(rows).items()
    ]
    return "\n".join(
        [
            "# Products in a model of characters",
            "",
            how,
            "",
            "Each network reads the help on Python's topics that Python "
            "ships, character by character, and predicts the next one. "
            "Paragraphs that come more than once are kept once. The last "
            "tenth of the text is to test on, the tenth before it to validate "
            "on. All networks have as many parameters, ± 5 %, and so unequal "
            "widths.",
            "",
            f"Adam, {settings.steps:,} steps of {settings.batch_size} windows "
            f"of {settings.length} characters, a learning rate that falls to 0 "
            "by a cosine from the one that is best on validation, "
            f"{len(settings.seeds)} seeds of initial weights. Bits are those "
            f"of windows of {settings.test_length} characters, each from an "
            "empty state. The 5-gram model, interpolated by Witten and Bell, "
            "sees the four characters before each.",
            "",
            answer(rows, settings),
            "",
            "![Bits per character of each network](characters.png)",
            "",
            "Grey: each seed. Bars: 95 % intervals. Differences above are "
            "paired by seed, their intervals corrected for the number of "
            "networks.",
            "",
            table(
                [
                    "model",
                    "units",
                    "parameters",
                    "learning rate",
                    "bits per character",
                ],
                lines,
            ),
            "",
        ]
    )
