"""The answer, the figure and the page."""

import numpy as np
from matplotlib.figure import Figure

from experiments import rates
from experiments.comparison import differences
from experiments.comparison import estimate
from experiments.comparison import sentence
from experiments.conditioning import data
from experiments.conditioning.networks import WIDTHS
from experiments.markdown import table
from tuning.reporting.statistics import half_interval
from tuning.study.files import replace_file

REFERENCE = "concatenation"
# Functions of one form, by other names: they show how much is chance.
EQUAL = (("sum", "concatenation"), ("FiLM", "diagonal"))
# How the operation comes in.
KINDS = {
    "added": ("tab:blue", ("concatenation", "sum")),
    "multiplied": (
        "tab:orange",
        ("FiLM", "scalar", "diagonal", "low rank", "full", "HyperDense"),
    ),
    "given an output layer": ("tab:green", ("a head per task",)),
}
PANELS = {
    "explained": "combinations that were trained on",
    "held_out": "combinations that were not",
}


def write(rows, settings, how, directory):
    """Writes the figure and report.md.

    Args:
        rows: List of `Row`.
        settings: `Settings`.
        how: Sentences that say when and on which machine it ran.
        directory: `pathlib.Path` of an existing directory.
    """
    draw(rows, settings).savefig(directory / "conditioning.png", dpi=120)
    replace_file(directory / "report.md", page(rows, settings, how))


def by_network(rows, settings):
    """Returns the rows of each network at its best learning rate."""
    return {
        network: rates.chosen(
            [row for row in rows if row.network == network], settings
        )
        for network in WIDTHS
    }


def values(rows, settings, name):
    """Returns a field of the rows, a list for each network."""
    return {
        network: [getattr(row, name) for row in mine]
        for network, mine in by_network(rows, settings).items()
    }


def answer(rows, settings):
    """Says what came out, computed from the rows."""
    lines = []
    for name, said in PANELS.items():
        found = values(rows, settings, name)
        best = max(found, key=lambda network: np.mean(found[network]))
        lines.append(
            f"- *On {said}*, the labels' variance is explained best by "
            f"“{best}”: {estimate(found[best])}, beside "
            f"{estimate(found[REFERENCE])} by {REFERENCE}. "
            + sentence(differences(found, REFERENCE), REFERENCE)
        )
    lines.append(_by_operation_said(by_network(rows, settings)))
    found = values(rows, settings, "explained")
    pairs = [
        f"{first} − {second} {differences(both, second)[first]}"
        for first, second in EQUAL
        for both in [{each: found[each] for each in (first, second)}]
    ]
    lines.append(
        "- *Two names for one function* show how much is chance: "
        f"{' and '.join(pairs)}."
    )
    return "\n".join(lines)


def _by_operation_said(found):
    """Says where a network differs from the reference on one operation."""
    known = [each for each in data.OPERATIONS if _trained_on(each)]
    count = len(known) * (len(found) - 1)
    said = []
    for operation in known:
        means = {
            network: [
                np.mean([row.pairs[i] for i in _trained_on(operation)])
                for row in rows
            ]
            for network, rows in found.items()
        }
        names = [
            f"{network} ({each})"
            for network, each in differences(means, REFERENCE, count).items()
            if each.sign
        ]
        if names:
            said.append(
                f"{operation} ({estimate(means[REFERENCE])} by {REFERENCE}): "
                f"{', '.join(names)}"
            )
    text = "; ".join(said) or "none"
    return (
        f"- *By operation*, of {count} differences from {REFERENCE}, these "
        f"are beyond intervals that hold all together: {text}."
    )


def _trained_on(operation):
    """The indices of an operation among the trained pairs."""
    return [i for i, pair in enumerate(data.TRAINED) if pair[0] == operation]


def draw(rows, settings):
    order = values(rows, settings, "explained")
    order = sorted(order, key=lambda network: np.mean(order[network]))
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, (name, title) in zip(panels, PANELS.items(), strict=True):
        found = values(rows, settings, name)
        for place, network in enumerate(order):
            mine = found[network]
            kind, color = _kind(network)
            axes.scatter(mine, [place] * len(mine), color="#aab7c4", s=14)
            axes.errorbar(
                np.mean(mine),
                place,
                xerr=np.nan_to_num(half_interval(mine)),
                color=color,
                marker="o",
                capsize=3,
                label=kind,
            )
        axes.axvline(
            np.mean(found[REFERENCE]), color="tab:blue", alpha=0.3, zorder=0
        )
        axes.set_title(title)
        axes.set_xlabel("explained share of the labels' variance")
        axes.grid(axis="x", alpha=0.3)
    panels[0].set_yticks(range(len(order)), order)
    handles, labels = panels[0].get_legend_handles_labels()
    kinds = dict(zip(labels, handles, strict=True))
    figure.legend(
        kinds.values(),
        kinds,
        title="the operation is",
        loc="outside right center",
        frameon=False,
    )
    figure.suptitle(
        "One network of 12 operations: ways to tell it which one is meant"
    )
    return figure


def _kind(network):
    """The name and the colour of a network's kind."""
    for kind, (color, networks) in KINDS.items():
        if network in networks:
            return kind, color
    raise KeyError(network)


def page(rows, settings, how):
    found = by_network(rows, settings)
    return "\n".join(
        [
            "# One network, many tasks",
            "",
            how,
            "",
            "Each network takes two vectors of "
            f"{settings.width} elements and the index of one of 12 "
            "operations, and answers with its result. All have two hidden "
            "layers of rectified linear units, and as many parameters, ± 5 %. "
            "They differ in where and how the operation comes in.",
            "",
            f"Trained on {len(data.TRAINED)} combinations of an operation and "
            f"a kind of inputs, {settings.train_records:,} records each, and "
            f"tested on these and on {len(data.HELD_OUT)} others, each of an "
            "operation and inputs that were trained on, but not together. "
            "Combinations whose label is the same for all records are left "
            f"out. Adam, {settings.steps:,} steps of {settings.batch_size} "
            "records, a learning rate that falls to 0 by a cosine from the "
            "one that is best on validation records, "
            f"{len(settings.seeds)} seeds of initial weights. “Explained” is "
            "1 − squared error ÷ variance on test records, not below 0, mean "
            "over the combinations.",
            "",
            answer(rows, settings),
            "",
            "![The explained variance of each network](conditioning.png)",
            "",
            "Grey: each seed. Bars: 95 % intervals. Differences above are "
            "paired by seed, their intervals corrected for the number of "
            "networks.",
            "",
            "## Networks",
            "",
            table(
                [
                    "network",
                    "parameters",
                    "learning rate",
                    "explained",
                    "held out",
                ],
                [
                    [
                        network,
                        f"{mine[0].parameters:,}",
                        f"{mine[0].learning_rate:g}",
                        estimate([row.explained for row in mine]),
                        estimate([row.held_out for row in mine]),
                    ]
                    for network, mine in found.items()
                ],
            ),
            "",
            "## Operations",
            "",
            "The explained share of each operation, mean over seeds and the "
            "kinds of inputs it was trained on.",
            "",
            _by_operation(found, data.TRAINED, 0),
            "",
            "And on the kind of inputs that was held out.",
            "",
            _by_operation(found, data.HELD_OUT, len(data.TRAINED)),
            "",
        ]
    )


def _by_operation(found, pairs, start):
    """A table of operations by networks, of pairs that start at an index."""
    lines = []
    for operation in data.OPERATIONS:
        mine = [
            start + i for i, pair in enumerate(pairs) if pair[0] == operation
        ]
        if mine:
            means = [
                np.mean([np.array(row.pairs)[mine] for row in rows])
                for rows in found.values()
            ]
            lines.append([operation, *(f"{mean:.2f}" for mean in means)])
    return table(["operation", *found], lines)
