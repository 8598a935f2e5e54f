import numpy as np
import pytest

import kmul
import tasks
from tasks import baseline


@pytest.mark.parametrize(
    "column, tolerance, expected",
    [
        ([0, 0, 1], 0.1, 0),
        ([0, 1, 1], 0.1, 1),
        ([0, 1], 0.1, 0),  # the lowest of two equally good ones
        ([0, 1], 0.5, 0.5),  # the bounds belong to the window
        ([0, 1, 2], 0.5, 0.5),
        ([0, 1, 1.5, 2], 0.5, 1.5),
        ([-3, -1, -1.25, 7, 7], 0.25, -1.125),
        ([5], 0.1, 5),
    ],
)
def test_best_constant_by_hand(column, tolerance, expected):
    label = np.array(column, np.float32)[:, None]
    best = baseline.best_constant(label, tolerance)
    assert best.shape == (1,) and best.dtype == np.float32
    assert best[0] == expected


def test_best_constant_is_best():
    """No constant of a fine grid is better, column by column."""
    rng = np.random.default_rng(0)
    label = rng.normal(size=(300, 4)).astype(np.float32)
    label[:, 1] = np.round(label[:, 1])
    label[:, 2] = label[:, 2] ** 2
    tolerance = 0.2
    best = baseline.best_constant(label, tolerance)

    def accuracy(column, value):
        return np.mean(np.abs(label[:, column] - value) <= tolerance)

    for column in range(4):
        grid = np.linspace(-4, 10, 5001)
        highest = max(accuracy(column, value) for value in grid)
        assert accuracy(column, best[column]) >= highest


def test_constant_accuracy():
    label = np.array([[0, 1], [0, 5], [3, 1]], np.float32)
    assert baseline.constant_accuracy(np.array([0, 1]), label, 0.1) == 4 / 6
    rng = np.random.default_rng(0)
    label = rng.random((20_000, 3), dtype=np.float32)
    within = baseline.constant_accuracy(np.array([0.5] * 3), label, 0.25)
    assert within == np.mean(np.abs(label - 0.5) <= 0.25)


def test_only_the_first_records_are_looked_at():
    label = np.array([[0], [1], [1]], np.float32)
    assert baseline.best_constant(label, 0.1, max_records=1) == 0


@pytest.mark.parametrize(
    "task, inputs, trivial",
    [
        ("logical_xor", "many_hot", False),
        ("dot", "random", False),
        ("elementwise_add", "one_hot", False),  # 0.985
        ("concat", "one_hot", True),  # 0.992
        ("reduce_sum", "one_hot", True),
        ("reduce_max", "many_hot", True),
        ("one_hot_sum", "one_hot", True),
    ],
)
def test_trivial(task, inputs, trivial, few, tmp_path):
    tolerance = kmul.metrics.WithinTolerance().tolerance
    if inputs == "one_hot":
        few = {}
    else:
        few["width"] = 128
    found = tasks.is_trivial(task, inputs, tmp_path, tolerance=tolerance, **few)
    assert found is trivial
