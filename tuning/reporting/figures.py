"""Figures of a study's results."""

import math

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patches import Rectangle

from tuning.reporting.statistics import half_interval
from tuning.reporting.tables import VARIANT

# The palette of Okabe and Ito, which the colour-blind can tell apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
MARKERS = ("o", "s", "^", "D", "v", "P")
FAILED = "#D55E00"
# The least loss that is drawn; below it, float32 has nothing to say.
FLOOR = 1e-12
_RC = {"font.size": 8, "font.family": "DejaVu Sans", "hatch.linewidth": 0.6}


def label_of(row):
    """Returns the name of a network with its depth and activation."""
    return f"{row['network']} {row['depth']} {row['activation']}"


def heat_map(cells, inputs, task_names, variants, refused, score):
    """Returns a figure of networks × tasks for one input distribution.

    Args:
        cells: Data frame as `tuning.reporting.tables.over_seeds` returns it.
        inputs: Name of the input distribution.
        task_names: The columns.
        variants: Data frame of networks, depths and activations: the rows.
        refused: Names of the tasks that have no meaning on these inputs.
        score: "accuracy" or "skill".
    """
    cells = cells[cells.inputs == inputs]
    rows = {tuple(variant): i for i, variant in enumerate(variants.values)}
    values = np.full((len(rows), len(task_names)), np.nan)
    learned, failed, trivial = set(), set(), set()
    missing = False
    for _, cell in cells.iterrows():
        at = (rows[tuple(cell[VARIANT])], task_names.index(cell.task))
        values[at] = cell[score]
        if cell.trivial:
            trivial.add(cell.task)
        if cell.seeds == 0:
            failed.add(at)
        elif cell.learned:
            learned.add(at)
    with matplotlib.rc_context(_RC):
        # Room for the names of the rows, and of the last column.
        longest = max(len(" ".join(map(str, row))) for row in rows)
        width = 2.2 + 0.075 * longest + 0.58 * len(task_names)
        figure = Figure(
            figsize=(width, 1.9 + 0.25 * len(rows)), layout="constrained"
        )
        axes = figure.add_subplot()
        colours = matplotlib.colormaps[
            "cividis" if score == "accuracy" else "PuOr"
        ].with_extremes(bad="white")
        low = 0 if score == "accuracy" else -1
        image = axes.imshow(values, colours, aspect="auto", vmin=low, vmax=1)
        for at in np.ndindex(values.shape):
            if at in failed:
                _box(axes, at, facecolor="white", edgecolor=FAILED)
                _text(axes, at, "failed", color=FAILED)
            elif task_names[at[1]] in refused:
                _box(axes, at, hatch="////", edgecolor="0.8", facecolor="white")
            elif np.isnan(values[at]):
                missing = True
                _text(axes, at, "–", color="0.3")
            else:
                share = np.clip((values[at] - low) / (1 - low), 0, 1)
                light = np.dot(colours(share)[:3], (0.299, 0.587, 0.114)) > 0.5
                digits = 3 if abs(values[at]) < 9.9 else 1
                _text(
                    axes,
                    at,
                    f"{values[at]:.{digits}f}".replace("-", "−"),
                    color="black" if light else "white",
                    weight="bold" if at in learned else "normal",
                )
        for column, task in enumerate(task_names):
            if task in trivial:
                _box(
                    axes,
                    (0, column),
                    len(rows),
                    facecolor="none",
                    edgecolor="0.4",
                    linestyle=":",
                    linewidth=1.5,
                )
        axes.set_xticks(
            range(len(task_names)),
            [name + " †" * (name in trivial) for name in task_names],
            rotation=35,
            ha="left",
            rotation_mode="anchor",
        )
        axes.xaxis.tick_top()
        axes.set_yticks(
            range(len(rows)), [label_of(row) for _, row in variants.iterrows()]
        )
        axes.tick_params(length=0)
        # White lines, the wider ones where the next network begins.
        axes.spines[:].set_visible(False)
        networks = list(variants.network)
        for i in range(1, len(rows)):
            wide = networks[i] != networks[i - 1]
            # Under the frames, above the image.
            axes.axhline(
                i - 0.5, color="white", linewidth=4 if wide else 1, zorder=0.5
            )
        for i in range(1, len(task_names)):
            axes.axvline(i - 0.5, color="white", linewidth=1, zorder=0.5)
        figure.colorbar(
            image,
            shrink=min(1, 4 / (0.25 * len(rows))),
            aspect=18,
            label="skill (0: as a constant)" if low else "accuracy on test",
            extend="min" if low else "neither",
        )
        figure.suptitle(
            f"{'Skill' if low else 'Accuracy'} on inputs {inputs}",
            weight="bold",
        )
        handles = []
        if learned:
            handles.append(_key("bold: learned"))
        if trivial:
            handles.append(
                Patch(
                    facecolor="none",
                    edgecolor="0.4",
                    linestyle=":",
                    label="† trivial: a constant does it",
                )
            )
        if any(task in refused for task in task_names):
            handles.append(
                Patch(
                    hatch="////",
                    edgecolor="0.8",
                    facecolor="white",
                    label="task has no meaning on these inputs",
                )
            )
        if failed:
            handles.append(
                Patch(facecolor="white", edgecolor=FAILED, label="failed")
            )
        if missing:
            handles.append(_key("– not run, or no score"))
        if handles:
            figure.legend(
                handles=handles,
                loc="outside lower center",
                ncols=2,
                frameon=False,
            )
    return figure


def learning_rates(trials, cells, title):
    """Returns a figure of validation loss by learning rate.

    There is a panel for each network and activation, and a line per depth.

    Args:
        trials: Data frame of the trials of one task and inputs.
        cells: Data frame of the results of the same, for the rates chosen.
        title: The figure's title.
    """
    trials = trials[trials.status != "failed"]
    trials = trials.assign(loss=trials.loss.clip(lower=FLOOR))
    finite = trials[(trials.status == "done") & np.isfinite(trials.loss)]
    # What is far above the loss of an untrained network, which that at the
    # lowest rate is close to, would leave no room to tell the others apart.
    start = finite[finite.learning_rate == finite.learning_rate.min()].loss
    bottom = finite.loss.min() if len(finite) else 0.1
    roof = min(finite.loss.max(), 30 * start.max()) if len(finite) else 10
    roof = max(roof, bottom * 10)
    ceiling = roof * (roof / bottom) ** 0.35
    panels = list(trials.groupby(["network", "activation"]))
    depths = sorted(trials.depth.unique())
    rates = trials.learning_rate.min() / 2, trials.learning_rate.max() * 2
    columns = min(len(panels), 4)
    lines = -(-len(panels) // columns)
    # Placed by hand: with so many axes, an automatic layout takes twice as
    # long as drawing them.
    width, height = max(1.0 + 2.5 * columns, 6.5), 1.2 + 1.8 * lines
    with matplotlib.rc_context(_RC):
        figure = Figure(figsize=(width, height))
        grid = figure.subplots(
            lines,
            columns,
            squeeze=False,
            gridspec_kw={
                "left": 0.75 / width,
                "right": 1 - 0.1 / width,
                "top": 1 - 0.65 / height,
                "bottom": 0.45 / height,
                "wspace": 0.1,
                "hspace": 0.2,
            },
        )
        for i, axes in enumerate(grid.flat):
            if i >= len(panels):
                axes.set_visible(False)
                continue
            (network, activation), panel = panels[i]
            axes.set_title(f"{network}, {activation}", fontsize=8, pad=3)
            _scale(axes, "x", *rates)
            _scale(axes, "y", bottom / (roof / bottom) ** 0.08, ceiling, roof)
            axes.tick_params(
                labelbottom=i + columns >= len(panels),
                labelleft=not i % columns,
            )
            axes.axhspan(roof, ceiling, color="0.93", linewidth=0)
            axes.grid(color="0.9", linewidth=0.5)
            axes.set_axisbelow(True)
            for depth, rows in panel.groupby("depth"):
                chosen = cells[
                    (cells.network == network)
                    & (cells.activation == activation)
                    & (cells.depth == depth)
                ].learning_rate
                _depth(axes, rows, depths.index(depth), roof, set(chosen))
        figure.text(0.5, 0.08 / height, "learning rate", ha="center")
        figure.text(
            0.1 / width, 0.5, "validation loss", rotation=90, va="center"
        )
        figure.text(
            0.1 / width, 1 - 0.2 / height, title, weight="bold", size=10
        )
        figure.legend(
            handles=[
                *(
                    Line2D(
                        [],
                        [],
                        color=COLOURS[i % len(COLOURS)],
                        marker=MARKERS[i % len(MARKERS)],
                        markersize=4,
                        label=f"depth {depth}",
                    )
                    for i, depth in enumerate(depths)
                ),
                _key("chosen for the training", marker="o", size=9),
                _key("off the scale", marker=6, markerfacecolor="black"),
                _key("diverged", marker="x"),
            ],
            loc="upper left",
            bbox_to_anchor=(0.1 / width, 1 - 0.22 / height),
            borderaxespad=0,
            ncols=len(depths) + 3,
            frameon=False,
        )
    return figure


def against_published(both):
    """Returns a figure of our accuracy against the published one.

    Args:
        both: Data frame as `tuning.reporting.tables.compare` returns it.
    """
    with matplotlib.rc_context(_RC):
        figure = Figure(figsize=(6.5, 5.2), layout="constrained")
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, zorder=0)
        for i, (network, rows) in enumerate(both.groupby("network")):
            colour = COLOURS[i % len(COLOURS)]
            for trivial, some in rows.groupby("trivial"):
                axes.scatter(
                    some.accuracy_published,
                    some.accuracy,
                    28,
                    marker=MARKERS[i % len(MARKERS)],
                    facecolor="none" if trivial else colour,
                    edgecolor=colour if trivial else "white",
                    linewidth=0.8 if trivial else 0.4,
                    clip_on=False,
                    label="_" if trivial else network,
                )
        axes.set(
            xlim=(0, 1),
            ylim=(0, 1),
            aspect="equal",
            xlabel="published accuracy",
            ylabel="accuracy here",
        )
        axes.annotate("better here", (0.03, 0.96), color="0.4")
        axes.annotate(
            "better as published", (0.97, 0.03), color="0.4", ha="right"
        )
        axes.grid(color="0.92")
        axes.set_axisbelow(True)
        figure.suptitle("Accuracy here and as published", weight="bold")
        handles = axes.get_legend_handles_labels()[0]
        if both.trivial.any():
            handles.append(_key("hollow: trivial", marker="o"))
        figure.legend(handles=handles, loc="outside right upper", frameon=False)
    return figure


def _scale(axes, name, low, high, last=math.inf):
    """Makes an axis logarithmic, with a few powers of ten up to `last`."""
    powers = np.arange(math.ceil(np.log10(low)), np.log10(min(high, last)))
    step = -(-len(powers) // 5)
    axes.set(
        **{
            f"{name}scale": "log",
            f"{name}lim": (low, high),
            f"{name}ticks": 10.0 ** powers[:: max(step, 1)],
        }
    )
    axes.minorticks_off()


def _depth(axes, rows, index, roof, chosen):
    """Draws the line of one depth, and what does not fit into it."""
    colour = COLOURS[index % len(COLOURS)]
    marker = MARKERS[index % len(MARKERS)]
    points, diverged, above = [], [], []
    for rate, of_rate in rows.groupby("learning_rate"):
        good = (of_rate.status == "done") & np.isfinite(of_rate.loss)
        logs = np.log10(of_rate.loss[good])
        if not good.all():
            diverged.append(rate)
        elif logs.mean() > np.log10(roof):
            above.append(rate)
        if good.any():
            interval = half_interval(logs) if len(logs) > 1 else 0
            points.append((rate, logs.mean(), interval))
    # In rows of their own, so that one depth does not hide another.
    height = 0.97 - 0.065 * index
    for rates, shape in ((diverged, "x"), (above, 6)):
        if rates:
            axes.plot(
                rates,
                [height] * len(rates),
                color=colour,
                marker=shape,
                ms=4,
                linestyle="",
                transform=axes.get_xaxis_transform(),
            )
    inside = [p for p in points if p[1] <= np.log10(roof)]
    if inside:
        x, mean, half = np.array(inside).T
        y = 10**mean
        axes.plot(x, y, color=colour, marker=marker, ms=3.5, linewidth=1.2)
        if half.any():
            ends = 10 ** (mean - half), 10 ** (mean + half)
            axes.vlines(x, *ends, color=colour, linewidth=1)
        ring = np.isin(x, list(chosen))
        axes.plot(x[ring], y[ring], "o", ms=9, mfc="none", mec="black", mew=0.9)


def _box(axes, at, height=1, **kwargs):
    row, column = at
    axes.add_patch(
        Rectangle((column - 0.46, row - 0.44), 0.92, height - 0.12, **kwargs)
    )


def _text(axes, at, text, **kwargs):
    axes.text(
        at[1], at[0], text, ha="center", va="center", fontsize=7, **kwargs
    )


def _key(label, marker="", size=5, markerfacecolor="none"):
    return Line2D(
        [],
        [],
        linestyle="",
        marker=marker,
        markersize=size,
        markerfacecolor=markerfacecolor,
        markeredgecolor="black",
        label=label,
    )
