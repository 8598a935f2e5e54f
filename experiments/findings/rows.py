"""The committed rows that the findings are computed from."""

import functools
import pathlib

import numpy as np
import pandas as pd

ROOT = pathlib.Path(__file__).parent.parent
PAIR = ["task", "inputs"]
# Pairs that are another one, label by label.
SAME = {
    ("almost_equal", "one_hot"): ("equality", "one_hot"),
    ("almost_equal", "many_hot"): ("equality", "many_hot"),
    ("logical_and", "many_hot"): ("elementwise_mul", "many_hot"),
}


@functools.cache
def grid():
    """The whole grid by the article's text, one seed."""
    return _read(ROOT / "whole_grid" / "results" / "results.csv")


@functools.cache
def distinct():
    """The grid's rows that no constant gets right, equal functions once."""
    rows = grid()
    pairs = rows[PAIR].apply(tuple, axis=1)
    return rows[(rows.status != "trivial") & ~pairs.isin(list(SAME))]


@functools.cache
def thorough():
    """The rows of the protocol `thorough`, as far as they have been run."""
    path = ROOT / "thorough" / "results" / "results.csv"
    return _read(path) if path.exists() else None


@functools.cache
def arithmetic():
    """Without iNALU, whose rows are of an earlier form of that layer."""
    rows = pd.read_csv(ROOT / "neural_arithmetic" / "results" / "results.csv")
    return rows[rows.unit != "INALU"]


@functools.cache
def attention():
    return pd.read_csv(ROOT / "layer_attention" / "results" / "results.csv")


@functools.cache
def parameters():
    return pd.read_csv(
        ROOT / "interaction_parameters" / "results" / "results.csv"
    )


def _read(path):
    rows = pd.read_csv(path)
    rows["family"] = rows.network
    rows["network"] = (
        rows.network + " " + rows.depth.astype(str) + " " + rows.activation
    )
    # A skill of −1,000 says no more than one of 0: nothing was learned.
    rows["skill"] = np.clip(rows.skill, 0, 1)
    return rows
