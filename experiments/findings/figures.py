"""The figures of the page of findings."""

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot

from experiments.findings import article
from experiments.findings import rows
from experiments.findings import xor
from tuning.reporting.statistics import half_interval

FAMILIES = {
    "multiply": ("multiply", "#c0392b", "o"),
    "multiply_simple": ("multiply_simple", "#e59866", "D"),
    "dense": ("dense, best of 15", "#1f4e79", "s"),
    "dense_residual": ("residual, best of 10", "#5dade2", "^"),
}


def draw(directory):
    """Writes all figures into a directory."""
    directory.mkdir(exist_ok=True)
    for name, figure in (
        ("families", families()),
        ("xor", logical_xor()),
        ("residual", residual()),
    ):
        figure.savefig(directory / f"{name}.png", dpi=110)
        pyplot.close(figure)


def families():
    """The best skill of each family on each function."""
    found = rows.distinct().pivot_table(
        index=rows.PAIR, columns="family", values="skill", aggfunc="max"
    )
    multiplied = found[["multiply", "multiply_simple"]].max(axis=1)
    others = found[["dense", "dense_residual"]].max(axis=1)
    found = found.loc[(multiplied - others).sort_values().index]
    figure, axes = _axes(len(found))
    places = range(len(found))
    for offset, (family, style) in enumerate(FAMILIES.items()):
        label, color, marker = style
        axes.scatter(
            found[family],
            [place + 0.16 * (offset - 1.5) for place in places],
            color=color,
            marker=marker,
            s=26,
            label=label,
        )
    axes.set_xlabel("skill: 0 is the best constant, 1 is always right")
    axes.set_title(
        "By the article's procedure, products, dot products and XOR are\n"
        "learned by multiplying, sums and copies without"
    )
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.07), ncols=4)
    _name(axes, found.index)
    return figure


def logical_xor():
    """The loss on XOR of bits as a share of the constant's, by seed."""
    found = xor.thorough()
    logs = np.log10(found.relative_loss).groupby(found.network)
    order = logs.mean().sort_values(ascending=False).index
    figure, axes = _axes(len(order))
    for place, network in enumerate(order):
        values = logs.get_group(network)
        family = found[found.network == network].family.iloc[0]
        _, color, marker = FAMILIES[family]
        axes.scatter(10**values, [place] * len(values), color="#aab7c4", s=14)
        half = np.nan_to_num(half_interval(values))
        middle = values.mean()
        axes.errorbar(
            10**middle,
            place,
            xerr=[
                [10**middle - 10 ** (middle - half)],
                [10 ** (middle + half) - 10**middle],
            ],
            color=color,
            marker=marker,
            capsize=3,
        )
    axes.set_xscale("log")
    axes.axvline(1, color="#555555", linewidth=1)
    axes.set_xlabel(
        "loss ÷ that of the best constant\n"
        "each seed, and the geometric mean with its 95 % interval"
    )
    axes.set_title(
        "XOR of bits, trained thoroughly (in brackets: how many seeds)"
    )
    seeds = logs.size()
    axes.set_yticks(
        range(len(order)),
        [f"{name} ({seeds[name]})" for name in order],
    )
    _tidy(axes)
    return figure


def residual():
    """Accuracy with skips minus without, per function."""
    gains = article.residual_gains()
    means = gains.groupby(level=rows.PAIR).mean().sort_values()
    figure, axes = _axes(len(means))
    for place, pair in enumerate(means.index):
        values = gains.xs(pair, level=rows.PAIR)
        axes.scatter(
            values, [place] * len(values), color="#aab7c4", s=14, zorder=1
        )
    halves = gains.groupby(level=rows.PAIR).agg(half_interval)[means.index]
    axes.errorbar(
        means,
        range(len(means)),
        xerr=halves,
        color="#1f4e79",
        marker="o",
        linestyle="none",
        capsize=2,
        zorder=2,
    )
    axes.set_xlim(-1.05, 1.05)
    axes.axvline(0, color="#555555", linewidth=1)
    axes.set_xlabel(
        "accuracy with skips − without\n"
        "each of 10 pairs, and their mean with its 95 % interval"
    )
    axes.set_title("Skips help more often than they harm")
    _name(axes, means.index)
    return figure


def _axes(count):
    return pyplot.subplots(
        figsize=(8, 1.6 + 0.27 * count), layout="constrained"
    )


def _name(axes, pairs):
    axes.set_yticks(range(len(pairs)), [" on ".join(pair) for pair in pairs])
    _tidy(axes)


def _tidy(axes):
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
