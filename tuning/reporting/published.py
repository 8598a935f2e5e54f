"""Results beside a published table, differences by their probable cause."""

import enum

import numpy as np
import pandas as pd

KEY = ["task", "inputs", "network", "depth", "activation"]
COLUMNS = [*KEY, "accuracy", "loss", "learning_rate", "steps"]
CLOSE, APART = 0.03, 0.1


class Cause(enum.StrEnum):
    """Why a result differs from the published one, in the order tested."""

    NONE = f"within {APART} of the published accuracy"
    SKIPS = "published without the skip connections"
    INPUTS = "published on inputs from −1 to 1, not from 0 to 1"
    SATURATED = "every output saturated here"
    STEPS = "trained for more steps in the publication"
    RATE = "another decade of learning rate"
    OPEN = "open"


def compare(results, path):
    """Returns the cells that both tables have, and why they differ.

    The rules are tested in the order of `Cause`, each on the cells that are
    more than 0.1 of accuracy apart and not explained yet:

    - `SKIPS`: a residual network, and the published accuracy is lower;
    - `INPUTS`: inputs `random_pos`, and the published accuracy is closer to
      ours on `random`;
    - `SATURATED`: our accuracy is below 0.001;
    - `STEPS`: the published training took more steps and is better;
    - `RATE`: the learning rates differ by more than half a decade.

    Args:
        results: Data frame of results, with the columns of `results.csv`. Of
            several seeds the first one counts.
        path: Path of the published CSV file, with the columns `task`,
            `inputs`, `network`, `depth`, `activation`, `accuracy`, `loss`,
            `learning_rate`, `steps`. Of repeated cells the last one counts.

    Returns:
        A data frame of `KEY`, our columns, the published ones with the suffix
        `_published`, `difference` and `cause`.

    Raises:
        ValueError: The file has no such columns, or no cell in common.
    """
    published = pd.read_csv(path)
    missing = [name for name in COLUMNS if name not in published]
    if missing:
        raise ValueError(
            f"{path} should have the columns {', '.join(COLUMNS)}. "
            f"Missing: {', '.join(missing)}"
        )
    published = published.drop_duplicates(KEY, keep="last")[COLUMNS]
    ours = results.drop_duplicates(KEY)
    both = ours.merge(published, on=KEY, suffixes=("", "_published"))
    if both.empty:
        raise ValueError(f"{path} has no cell in common with these results.")
    both["difference"] = both.accuracy - both.accuracy_published
    both["cause"] = np.select(
        [mask for _, mask in _rules(both, ours)],
        [str(cause) for cause, _ in _rules(both, ours)],
        str(Cause.OPEN),
    )
    return both


def _rules(both, ours):
    keys = [name for name in KEY if name != "inputs"]
    on_random = ours[ours.inputs == "random"].set_index(keys).accuracy
    on_random = on_random.reindex(pd.MultiIndex.from_frame(both[keys]))
    closer = (
        np.abs(on_random.to_numpy() - both.accuracy_published)
        < both.difference.abs()
    )
    decades = np.abs(
        np.log10(both.learning_rate / both.learning_rate_published)
    )
    return [
        (Cause.NONE, both.difference.abs() <= APART),
        (
            Cause.SKIPS,
            both.network.eq("dense_residual") & (both.difference > 0),
        ),
        (Cause.INPUTS, both.inputs.eq("random_pos") & closer),
        (Cause.SATURATED, both.accuracy < 0.001),
        (
            Cause.STEPS,
            (both.steps_published > both.steps) & (both.difference < 0),
        ),
        (Cause.RATE, decades > 0.5),
    ]


def summary(both):
    """Returns how many cells each cause explains, as a data frame."""
    counts = both.cause.value_counts()
    rows = [
        {"cause": str(cause), "cells": int(counts.get(str(cause), 0))}
        for cause in Cause
    ]
    close = int((both.difference.abs() <= CLOSE).sum())
    rows.insert(0, {"cause": f"within {CLOSE}", "cells": close})
    return pd.DataFrame(rows)
