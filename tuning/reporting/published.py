"""Results beside published ones, and why they differ."""

import enum

import numpy as np
import pandas as pd

from tuning.reporting.tables import CELL

APART = 0.1
# As near as another seed comes, nearly always.
CLOSE = 0.03
# Compared where the published table has them.
OPTIONAL = ["learning_rate", "steps"]


class Cause(enum.StrEnum):
    """Why a cell differs from the published one, in the order tested."""

    NONE = f"none: within {APART} of the published accuracy"
    SKIPS = "it was published without its skip connections"
    INPUTS = "it was published on inputs from −1 to 1"
    SATURATED = "every output saturated here"
    STEPS = "it was published after more steps"
    RATE = "another decade of learning rate was chosen"
    OPEN = "not known"


def compare(cells, published, as_released=False):
    """Returns the cells that are in both, the largest difference first.

    Where a cell was published more than once, the row finished last counts. A
    cell that is more than 0.1 of accuracy apart gets the first `cause` that
    fits:

    - `SKIPS`: a residual network, better here;
    - `INPUTS`: on `random_pos`, and the published accuracy is closer to ours
      on `random`;
    - `SATURATED`: an accuracy below 0.001 here;
    - `STEPS`: better as published, after more steps;
    - `RATE`: the learning rates are more than half a decade apart.

    Args:
        cells: Data frame as `tuning.reporting.tables.over_seeds` returns it.
        published: Data frame of the columns of a cell, `accuracy`, `finished`
            and, for the last two causes, `learning_rate` and `steps`.
        as_released: Whether the cells are of the protocol `released`, and so
            have the published skips and inputs themselves.
    """
    last = published.sort_values("finished", kind="stable").drop_duplicates(
        CELL, keep="last"
    )
    last = last.reindex(columns=[*CELL, "accuracy", *OPTIONAL])
    both = cells[cells.accuracy.notna()].merge(
        last.dropna(subset=["accuracy"]), on=CELL, suffixes=("", "_published")
    )
    both["difference"] = both.accuracy - both.accuracy_published
    rules = _rules(both, cells)
    if as_released:
        del rules[Cause.SKIPS], rules[Cause.INPUTS]
    both["cause"] = np.select(
        list(rules.values()),
        [str(cause) for cause in rules],
        str(Cause.OPEN),
    )
    order = both.difference.abs().sort_values(ascending=False, kind="stable")
    return both.loc[order.index].reset_index(drop=True)


def close(both):
    """Returns how many cells are within 0.03 of the published accuracy."""
    return int((both.difference.abs() <= CLOSE).sum())


def causes(both):
    """Returns how many cells have which cause, in the order of `Cause`."""
    counts = both.cause.value_counts()
    return pd.DataFrame(
        [{"cause": str(each), "cells": counts.get(each, 0)} for each in Cause]
    )


def _rules(both, cells):
    """Returns a boolean series for each cause, in the order they are tested."""
    others = [name for name in CELL if name != "inputs"]
    on_random = cells[cells.inputs == "random"].set_index(others).accuracy
    on_random = on_random.reindex(pd.MultiIndex.from_frame(both[others]))
    off = np.abs(on_random.to_numpy() - both.accuracy_published)
    better = both.difference > 0
    # Text where several seeds chose several rates, which then are none.
    rates = pd.to_numeric(both.learning_rate, errors="coerce")
    return {
        Cause.NONE: both.difference.abs() <= APART,
        Cause.SKIPS: both.network.eq("dense_residual") & better,
        Cause.INPUTS: both.inputs.eq("random_pos")
        & (off < both.difference.abs()),
        Cause.SATURATED: both.accuracy < 0.001,
        Cause.STEPS: ~better & (both.steps_published > both.steps),
        Cause.RATE: np.abs(np.log10(rates / both.learning_rate_published))
        > 0.5,
    }
