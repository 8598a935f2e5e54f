"""The committed rows that the findings are computed from."""

import functools
import json
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


def best(task, inputs):
    """The best accuracy of each family on a pair."""
    found = grid()
    found = found[(found.task == task) & (found.inputs == inputs)]
    return found.groupby("family").accuracy.max()


@functools.cache
def thorough():
    """The rows of the protocol `thorough`, as far as they have been run."""
    return _read(ROOT / "thorough" / "results" / "results.csv")


@functools.cache
def released():
    """Those of the protocol `released`, of a random sample of cells."""
    return _read(ROOT / "released" / "results" / "results.csv")


@functools.cache
def agreement():
    """How many of the released rows are close to the published ones."""
    path = ROOT / "released" / "results" / "agreement.json"
    return json.loads(path.read_text("utf-8"))


@functools.cache
def widths():
    """Those of dot products and sums, with the `width` of the vectors."""
    paths = sorted(ROOT.glob("widths/results/*/results.csv"))
    return pd.concat(
        _read(path).assign(width=int(path.parent.name)) for path in paths
    )


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
