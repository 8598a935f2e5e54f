"""The figures of the page of findings."""

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot

from experiments.findings import article
from experiments.findings import rows

FAMILIES = {
    "multiply": ("multiply", "#c0392b", "o"),
    "multiply_simple": ("multiply_simple", "#e59866", "D"),
    "dense": ("dense, best of 15", "#1f4e79", "s"),
    "dense_residual": ("residual, best of 10", "#5dade2", "^"),
}


def draw(directory):
    """Writes all figures into a directory."""
    directory.mkdir(exist_ok=True)
    for name, figure in (("families", families()), ("residual", residual())):
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
    axes.scatter(means, range(len(means)), color="#1f4e79", s=36, zorder=2)
    axes.axvline(0, color="#555555", linewidth=1)
    axes.set_xlabel(
        "accuracy with skips − without: each of 10 pairs, and their mean"
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
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
