"""Counts the cells that come out as published.

    python -m experiments.released.compare PATH

reads the published table at PATH and writes `agreement.json` beside the rows.
The table itself is not kept here.
"""

import argparse
import json
import pathlib

import numpy as np
import pandas as pd

from tuning.reporting.published import CLOSE
from tuning.reporting.published import close
from tuning.reporting.published import compare
from tuning.reporting.tables import CELL
from tuning.study.files import replace_file

RESULTS = pathlib.Path(__file__).parent / "results"
GRID = pathlib.Path(__file__).parents[1] / "whole_grid" / "results"


def agreement(ours, published, grid):
    """Returns how many cells are close to the published ones.

    Args:
        ours: Data frame of rows of the protocol `released`.
        published: Data frame of the published rows.
        grid: Data frame of rows of the protocol `article`.

    Returns:
        Dictionary of the residual networks' cells and of those on
        `random_pos`; each has the number of `cells` that were published, and
        of those that are close `as_released` and `as_said` in the article:
        with skips in the evaluation, or inputs from 0 to 1. The code tried the
        rate of the previous cell first, which is not repeated here: so many of
        those that are not close have an `other_rate`. Beside them the residual
        networks' published `repeats`, first and last: how many there are, and
        how many are close to each other.
    """
    residual = ours[ours.network == "dense_residual"]
    positive = ours[ours.inputs == "random_pos"]
    said = positive[CELL].merge(grid, on=CELL)
    return {
        "residual": _counts(
            residual,
            residual.assign(accuracy=residual.accuracy_with_skips),
            published,
        ),
        "random_pos": _counts(positive, said, published),
        "repeats": _repeats(published[published.network == "dense_residual"]),
    }


def _repeats(published):
    cells = published.sort_values("finished", kind="stable").groupby(CELL)
    found = cells.accuracy.agg(["first", "last", "size"])
    found = found[found["size"] > 1]
    apart = (found["first"] - found["last"]).abs()
    return {"cells": len(found), "close": int((apart <= CLOSE).sum())}


def _counts(released, said, published):
    both = compare(released, published, as_released=True)
    apart = both[both.difference.abs() > CLOSE]
    rates = apart.learning_rate_published / apart.learning_rate
    return {
        "cells": len(both),
        "other_rate": int((np.abs(np.log10(rates)) > 0.5).sum()),
        "as_released": close(both),
        "as_said": close(compare(said, published, as_released=True)),
    }


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m experiments.released.compare",
        description="Count the cells that come out as published.",
    )
    parser.add_argument("published", metavar="PATH", help="the published table")
    options = parser.parse_args(arguments)
    ours, published, grid = map(
        pd.read_csv,
        (RESULTS / "results.csv", options.published, GRID / "results.csv"),
    )
    found = agreement(ours, published, grid)
    path = RESULTS / "agreement.json"
    replace_file(path, json.dumps(found, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
