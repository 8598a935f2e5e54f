"""One figure for each claim."""

import numpy as np
from matplotlib import colors
from matplotlib.figure import Figure

from experiments.layer_attention import claims
from experiments.layer_attention.statistics import difference
from experiments.layer_attention.statistics import estimate

COLORS = {
    "plain": "black",
    "residual": "tab:gray",
    "sum": "tab:brown",
    "concat": "tab:blue",
    "static": "tab:orange",
    "self": "tab:green",
    "recurrent": "tab:red",
}


def style(network):
    """Colour by mechanism; dashed with the transform."""
    base = network.removesuffix(" + transform")
    return {
        "color": COLORS[base],
        "linestyle": "-" if base == network else "--",
        "marker": "o",
        "markersize": 4,
    }


def draw_all(runs, directory):
    """Writes the figures and returns their names, one for each claim."""
    figures = {
        "1_depth.png": depth(runs),
        "2_attention.png": attention(runs),
        "3_gradients.png": gradients(runs),
        "4_concatenation.png": concatenation(runs),
        "5_corruption.png": corruption(runs),
    }
    for name, figure in figures.items():
        figure.savefig(directory / name, dpi=120)
    return list(figures)


def depth(runs):
    figure = Figure(figsize=(13, 4.5), layout="constrained")
    panels = figure.subplots(1, 3)
    for axes, name, title in zip(
        panels,
        ("position_accuracy", "digit_accuracy", "accuracy"),
        ("position", "digit", "both"),
        strict=True,
    ):
        for index, network in enumerate(runs.networks):
            found = [
                estimate(runs.values(network, each, name))
                for each in runs.depths
            ]
            # Set apart a little, so that the intervals can be told apart.
            shift = 2 ** (0.02 * (index - len(runs.networks) / 2))
            axes.errorbar(
                np.array(runs.depths) * shift,
                [each.mean for each in found],
                yerr=[_finite(each.margin) for each in found],
                capsize=2,
                label=network,
                **style(network),
            )
        axes.set_xscale("log", base=2)
        axes.set_xticks(runs.depths, [str(each) for each in runs.depths])
        axes.minorticks_off()
        axes.set_xlabel("convolutions")
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, 0), min(high, 1))
        axes.set_title(f"test accuracy: {title}")
        axes.grid(alpha=0.3)
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside right center",
        frameon=False,
    )
    return figure


def attention(runs):
    """Layers × training of each attended network, mean over seeds."""
    without = [n for n in runs.attended if "transform" not in n]
    transformed = [n for n in runs.attended if "transform" in n]
    weighted = [n for n in runs.attended if claims.explicit(n)]
    rows = [
        [(network, "contribution") for network in without],
        [(network, "contribution") for network in transformed],
        [(network, "attention") for network in weighted],
    ]
    figure = Figure(figsize=(14, 9), layout="constrained")
    panels = figure.subplots(
        3, max(map(len, rows)), sharex=True, sharey=True, squeeze=False
    )
    deep = runs.depths[-1]
    for axes_row, row in zip(panels, rows, strict=True):
        for axes, (network, quantity) in zip(axes_row, row, strict=False):
            drawn = _layers_by_training(axes, runs, network, quantity)
    for axes in panels[:, 0]:
        axes.set_ylabel("layer")
        axes.set_yticks(np.arange(1, deep + 1))
    for axes in panels[-1]:
        axes.set_xlabel("training step")
    figure.colorbar(
        drawn, ax=panels, label="share of the layer", extend="max", aspect=40
    )
    figure.suptitle(
        f"Contribution to the output and weights of attention over training, "
        f"{deep} convolutions (white: the mean layer, thin for each seed)"
    )
    return figure


def _layers_by_training(axes, runs, network, quantity):
    deep = runs.depths[-1]
    values = runs.values(network, deep, quantity).mean(0)
    steps = np.array(runs.of(network, deep)[0].steps)
    drawn = axes.pcolormesh(
        steps,
        np.arange(1, deep + 1),
        values.T,
        shading="nearest",
        vmin=0,
        vmax=min(1, 3 / deep),
        cmap="viridis",
    )
    centre = claims.centres(runs, network, quantity)
    axes.plot(steps, centre.T, color="white", alpha=0.3, linewidth=0.7)
    axes.plot(steps, centre.mean(0), color="white", linewidth=2)
    axes.set_title(f"{network}: {quantity}", fontsize=10)
    return drawn


def gradients(runs):
    deep = runs.depths[-1]
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for network in runs.networks:
        gradient = runs.values(network, deep, "gradient")
        early = gradient[:, : claims.early_index(runs, network) + 1]
        norm = 10 ** claims.mean_log(early, axis=(0, 1))
        left.plot(np.arange(1, deep + 1), norm, label=network, **style(network))
        first, last = gradient[..., 0], gradient[..., -1]
        ratio = np.divide(first, last, where=last > 0, out=np.zeros_like(first))
        right.plot(
            runs.of(network, deep)[0].steps,
            10 ** claims.mean_log(ratio, axis=0),
            **{**style(network), "marker": ""},
        )
    left.set_yscale("log")
    left.set_xticks(np.arange(1, deep + 1))
    left.set_xlabel("convolution")
    left.set_title(f"gradient norm, first {claims.EARLY:.0%} of training")
    right.set_yscale("log")
    right.axhline(1, color="lightgray", zorder=0)
    right.set_xlabel("training step")
    right.set_title("gradient norm, first ÷ last convolution")
    figure.legend(
        *left.get_legend_handles_labels(),
        loc="outside right center",
        frameon=False,
    )
    return figure


def concatenation(runs):
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    width = 0.35
    for index, other in enumerate(("sum", "residual")):
        found = [
            difference(
                runs.values("concat", each, "accuracy"),
                runs.values(other, each, "accuracy"),
            )
            for each in runs.depths
        ]
        axes.bar(
            np.arange(len(found)) + (index - 0.5) * width,
            [each.mean for each in found],
            width,
            yerr=[_finite(each.margin) for each in found],
            capsize=4,
            color=COLORS[other],
            label=f"concat − {other}",
        )
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(
        np.arange(len(runs.depths)), [str(each) for each in runs.depths]
    )
    axes.set_xlabel("convolutions")
    axes.set_ylabel("difference of test accuracy (both)")
    axes.set_title("Above 0: concatenation is better than the sum")
    axes.legend(frameon=False)
    return figure


def corruption(runs):
    deep = runs.depths[-1]
    table = []
    for network in runs.networks:
        accuracy = runs.values(network, deep, "accuracy")
        corrupted = runs.values(network, deep, "corrupted")
        recovered = runs.values(network, deep, "recovered")
        row = np.column_stack([corrupted, recovered])
        table.append((row / np.maximum(accuracy, 1e-9)[:, None]).mean(0))
    table = np.array(table)
    figure = Figure(
        figsize=(3.5 + 0.7 * deep, 1.5 + 0.35 * len(table)),
        layout="constrained",
    )
    axes = figure.add_subplot()
    drawn = axes.imshow(
        table, cmap="viridis", norm=colors.Normalize(0, 1), aspect="auto"
    )
    for (row, column), value in np.ndenumerate(table):
        axes.text(
            column,
            row,
            f"{value:.2f}",
            ha="center",
            va="center",
            color="white" if value < 0.6 else "black",
            fontsize=8,
        )
    axes.axvline(deep - 0.5, color="white", linewidth=3)
    axes.set_xticks(
        np.arange(deep + 1),
        [
            *(str(each) for each in range(1, deep + 1)),
            f"{deep}, then\ntrained on",
        ],
    )
    axes.set_yticks(np.arange(len(table)), runs.networks)
    axes.set_xlabel("convolution whose weights are noise")
    axes.set_title("Share of the accuracy that is kept")
    figure.colorbar(drawn)
    return figure


def _finite(margin):
    return margin if np.isfinite(margin) else 0.0
