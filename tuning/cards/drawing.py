"""The picture of a card, for a README."""

import functools
import textwrap

import matplotlib
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tuning.cards import verdict
from tuning.cards.asking import LEGENDS
from tuning.cards.asking import questions

INK, FAINT, UNASKED = "#1f2a30", "#66737a", "#ffffff"
COLOURS = ("#edf0ee", "#a9dcc0", "#3fa878", "#0b6b4b")
NOTE = (
    "✓ learned: 0.9 or more, where 1 is perfect and 0 the best constant. "
    "White: not asked."
)
GAP = 0.45
LINE, ROW, TOP = 0.24, 0.34, 0.42


@functools.cache
def colour_map():
    """Returns the colours of scores from 0 to 1, from pale to dark."""
    # Half of the range is as pale as nothing: what counts is near to 1.
    stops = zip((0, 0.5, 0.9, 1), COLOURS, strict=True)
    return LinearSegmentedColormap.from_list("scores", list(stops))


def draw(card):
    """Returns a Matplotlib figure of a card.

    Each layer has a verdict. Below stands a row of each layer's scores, the
    card's own first, then those of the known layers that are nearest.
    """
    width = 9.5
    verdicts = [
        (layer["name"], textwrap.wrap(layer["verdict"], 88))
        for layer in card.layers
    ]
    panels = [
        (kind, [each for each in card.layers if each["kind"] == kind])
        for kind in card.kinds
    ]
    heights = [
        0.8 + ROW * (len(mine) + len(card.beside(kind)))
        for kind, mine in panels
    ]
    text = sum(0.16 + LINE * (1 + len(lines)) for _, lines in verdicts)
    height = TOP + text + sum(heights) + 0.3
    with matplotlib.rc_context({"font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(width, height), facecolor="white")
        y = height - 0.35
        for name, lines in verdicts:
            figure.text(
                0.25 / width,
                y / height,
                name,
                size=15,
                weight="bold",
                color=INK,
            )
            for line in lines:
                y -= LINE
                figure.text(0.25 / width, y / height, line, size=11, color=INK)
            y -= LINE + 0.16
        for (kind, mine), panel in zip(panels, heights, strict=True):
            y -= panel
            axes = figure.add_axes((0, (y + 0.3) / height, 1, panel / height))
            _panel(axes, kind, mine, card.beside(kind), width, panel)
        note = " ".join([*(LEGENDS[kind] for kind in card.kinds), NOTE])
        figure.text(
            0.25 / width,
            0.12 / height,
            "\n".join(textwrap.wrap(note, 150)),
            size=7.5,
            color=FAINT,
        )
    return figure


def _panel(axes, kind, mine, others, width, height):
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    asked = questions(kind)
    headings = list(dict.fromkeys(each.heading for each in asked))
    left = 2.35
    gaps = GAP * (len(headings) - 1) * 0.3
    cell = min((width - left - 0.2 - gaps) / len(asked), 0.8)
    colours = colour_map()
    x, previous = left, None
    top = height - 0.75
    for question in asked:
        if question.heading != previous:
            if previous is not None:
                x += GAP * 0.3
            count = sum(each.heading == question.heading for each in asked)
            axes.text(
                x,
                top + 0.52,
                "\n".join(
                    textwrap.wrap(question.heading, max(int(count * 3.4), 9))
                ),
                size=7.5,
                color=FAINT,
                va="center",
                linespacing=0.95,
            )
            previous = question.heading
        axes.text(
            x + cell / 2,
            top + 0.2,
            question.sign.replace(" ", ""),
            size=7,
            color=INK,
            ha="center",
            va="center",
        )
        for i, layer in enumerate([*mine, *others]):
            _cell(
                axes,
                (x, top - ROW * (i + 1) + 0.06, cell, ROW),
                layer["scores"].get(question.key),
                colours,
            )
        x += cell
    for i, layer in enumerate([*mine, *others]):
        name = layer["name"]
        axes.text(
            0.25,
            top - ROW * (i + 0.5) + 0.06,
            name if len(name) < 27 else f"{name[:25]}…",
            size=9 if i < len(mine) else 8.2,
            weight="bold" if i < len(mine) else "normal",
            color=INK if i < len(mine) else FAINT,
            va="center",
        )


def _cell(axes, box, score, colours):
    x, y, width, height = box
    pad = 0.018
    asked = score is not None
    share = min(max(score, 0), 1) if asked else 0
    axes.add_patch(
        Rectangle(
            (x + pad, y + pad),
            width - 2 * pad,
            height - 2 * pad,
            facecolor=colours(share) if asked else UNASKED,
            edgecolor="none" if asked else "#d5dbd8",
            linewidth=0.6,
        )
    )
    if not asked or share < 0.1:
        return
    learned = score >= verdict.LEARNED
    axes.text(
        x + width / 2,
        y + height / 2,
        "✓" if learned else verdict.rounded(score, 1).removeprefix("0"),
        size=8 if learned else 5.8,
        color="white" if learned else INK,
        ha="center",
        va="center",
    )
