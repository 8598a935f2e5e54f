"""A search as a picture."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

COLUMNS = 3
# From the palette of Okabe and Ito, which the colour-blind can tell apart.
DOTS = "#0072B2"
BEST = "#D55E00"


def plot_results(table, names, objective, direction):
    """Returns a figure: the score of each trial, by order and by choice.

    Args:
        table: The table that `results` returns.
        names: List of the hyperparameters' columns.
        objective: The name of the score.
        direction: `"min"` or `"max"`.
    """
    scores = pd.to_numeric(table["score"]).to_numpy(float)
    done = np.isfinite(scores)
    names = [name for name in names if table[name][done].nunique() > 1]
    rows = math.ceil((1 + len(names)) / COLUMNS)
    columns = min(COLUMNS, 1 + len(names))
    figure = Figure((3.6 * columns, 2.9 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for unused in axes[1 + len(names) :]:
        unused.remove()
    ended = scores[done]
    best = None
    if len(ended):
        best = (np.argmin if direction == "min" else np.argmax)(ended)
    _draw(axes[0], np.flatnonzero(done) + 1, ended, best)
    if len(ended):
        so_far = np.minimum if direction == "min" else np.maximum
        axes[0].step(
            np.flatnonzero(done) + 1,
            so_far.accumulate(ended),
            where="post",
            color=BEST,
            label="best so far",
        )
        axes[0].legend(frameon=False)
    axes[0].xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0].set(xlabel="trial", ylabel=objective)
    for axis, name in zip(axes[1:], names, strict=False):
        values = table[name][done]
        if not pd.api.types.is_bool_dtype(values) and (
            pd.api.types.is_numeric_dtype(values)
        ):
            _draw(axis, values, ended, best)
            if _spans_decades(values):
                axis.set_xscale("log")
        else:
            # As text, so that each has a place of its own.
            _draw(axis, values.astype(str), ended, best)
            axis.margins(x=0.2)
        axis.set_xlabel(name)
        axis.set_ylabel(objective)
    if len(ended) and direction == "min" and _spans_decades(ended):
        for axis in axes[: 1 + len(names)]:
            axis.set_yscale("log")
    if not done.all():
        figure.suptitle(f"{(~done).sum()} of {len(done)} trials have no score")
    return figure


def _draw(axis, x, scores, best):
    x = np.asarray(x)
    axis.scatter(x, scores, s=22, color=DOTS, alpha=0.7, linewidths=0)
    if best is not None:
        axis.scatter(x[best : best + 1], scores[best], s=60, color=BEST)
    axis.grid(alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)


def _spans_decades(values):
    values = np.asarray(values, float)
    return values.min() > 0 and values.max() / values.min() >= 100
