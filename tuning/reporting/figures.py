"""Figures of a study's results."""

import base64
import io

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patches import Rectangle

from tuning.reporting.elements import element
from tuning.reporting.elements import show
from tuning.reporting.tables import VARIANT

# The palette of Okabe and Ito, which the colour-blind can tell apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
MARKERS = ("o", "s", "^", "D", "v", "P")
FAILED = "#D55E00"
DOTS_PER_INCH = 130
_RC = {"font.size": 8, "font.family": "DejaVu Sans"}


def png(figure):
    """Returns a figure as the content of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
    return buffer.getvalue()


def embedded(content, description):
    """Returns the element of a PNG image."""
    data = base64.b64encode(content).decode()
    image = element("img", alt=description, src=f"data:image/png;base64,{data}")
    return element("figure", image)


def label_of(row):
    """Returns the name of a network with its depth and activation."""
    return f"{row['network']} {row['depth']} {row['activation']}"


def heat_map(cells, inputs, task_names, variants):
    """Returns a figure of the skill of networks × tasks on one kind of inputs.

    Args:
        cells: Data frame as `tuning.reporting.tables.over_seeds` returns it.
        inputs: Name of the input distribution.
        task_names: The columns.
        variants: Data frame of networks, depths and activations: the rows.
    """
    cells = cells[cells.inputs == inputs]
    rows = {tuple(variant): i for i, variant in enumerate(variants.values)}
    values = np.full((len(rows), len(task_names)), np.nan)
    learned, failed, trivial = set(), set(), set()
    missing = False
    for _, cell in cells.iterrows():
        at = (rows[tuple(cell[VARIANT])], task_names.index(cell.task))
        values[at] = cell.skill
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
        colours = matplotlib.colormaps["PuOr"].with_extremes(bad="white")
        image = axes.imshow(values, colours, aspect="auto", vmin=-1, vmax=1)
        for at in np.ndindex(values.shape):
            if at in failed:
                _box(axes, at, facecolor="white", edgecolor=FAILED)
                _text(axes, at, "failed", color=FAILED)
            elif np.isnan(values[at]):
                missing = True
                _text(axes, at, "–", color="0.3")
            else:
                share = (values[at] + 1) / 2
                light = np.dot(colours(share)[:3], (0.299, 0.587, 0.114)) > 0.5
                _text(
                    axes,
                    at,
                    show(values[at], "{:.3f}"),
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
            label="skill (0: as a constant)",
        )
        figure.suptitle(f"Skill on inputs {inputs}", weight="bold")
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


def against_published(both):
    """Returns a figure of our accuracy against the published one.

    Args:
        both: Data frame as `tuning.reporting.published.compare` gives it.
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
