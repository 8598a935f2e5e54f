"""How the cells that come out as published are counted."""

import pandas as pd

from experiments.released.compare import agreement


def frame(*rows):
    names = ["network", "inputs", "accuracy", "learning_rate", "finished"]
    found = pd.DataFrame([dict(zip(names, row, strict=True)) for row in rows])
    return found.assign(task="dot", depth=2, activation="relu", steps=1000)


def test_cells_are_counted_as_released_and_as_said():
    ours = frame(
        ("dense_residual", "random", 0.20, 0.01, ""),
        ("dense_residual", "many_hot", 0.20, 0.01, ""),
        ("dense", "random_pos", 0.50, 0.01, ""),
    ).assign(accuracy_with_skips=[0.9, 0.21, None])
    published = frame(
        ("dense_residual", "random", 0.90, 0.01, "1"),
        ("dense_residual", "random", 0.22, 0.01, "2"),
        ("dense_residual", "many_hot", 0.40, 0.001, "1"),
        ("dense", "random_pos", 0.49, 0.01, "1"),
    )
    grid = frame(("dense", "random_pos", 0.8, 0.01, ""))
    found = agreement(ours, published, grid)
    assert found["residual"] == {
        "cells": 2,
        "other_rate": 1,
        "as_released": 1,
        "as_said": 0,
    }
    assert found["random_pos"]["as_released"] == 1
    assert found["random_pos"]["as_said"] == 0
    assert found["repeats"] == {"cells": 1, "close": 0}
