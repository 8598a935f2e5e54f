import itertools

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tasks import arithmetic_ops
from tasks.arithmetic_ops import OPERATIONS
from tasks.arithmetic_ops import SPLITS
from tasks.arithmetic_ops import ArithmeticSettings

# What the seed gives, for as long as the version of the data stays.
FROZEN_SUBSETS = (slice(28, 53), slice(41, 66))
FROZEN_LABEL = 1358.14

FEW = {f"{split}_records": 20 + i for split, i in SPLITS.items()}


@pytest.mark.parametrize(
    "operation, expected",
    [
        ("add", 3 + 7.5),
        ("sub", 3 - 7.5),
        ("mul", 3 * 7.5),
        ("div", 3 / 7.5),
        ("square", 9),
        ("root", 3**0.5),
    ],
)
def test_operations(operation, expected):
    assert OPERATIONS[operation].label(3.0, 7.5) == pytest.approx(expected)


def test_sums_by_hand():
    # Subsets of 4 of 8 elements that share 2 take 6: 0, 1 or 2 come before.
    settings = ArithmeticSettings(size=8, subset_ratio=0.5)
    start = settings.subsets[0].start
    assert settings.subsets == (
        slice(start, start + 4),
        slice(start + 2, start + 6),
    )
    x = np.zeros((1, 8), np.float32)
    x[0, start : start + 6] = [1, 2, 4, 8, 16, 32]
    assert [float(each[0, 0]) for each in settings.sums(x)] == [15, 60]


def test_sizes_of_the_subsets():
    settings = ArithmeticSettings()
    assert (settings.subset_size, settings.overlap_size) == (25, 12)
    first, second = (set(range(100)[each]) for each in settings.subsets)
    assert len(first) == len(second) == 25
    assert len(first & second) == 12
    assert ArithmeticSettings(size=100, subset_ratio=0.29).subset_size == 29


def test_subsets_take_every_place():
    places = {
        ArithmeticSettings(size=8, subset_ratio=0.5, seed=seed).subsets[0].start
        for seed in range(30)
    }
    assert places == {0, 1, 2}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_load(operation):
    for split in SPLITS:
        x, y = arithmetic_ops.load(operation, split, **FEW)
        assert x.shape == (20 + SPLITS[split], 100)
        assert y.shape == (20 + SPLITS[split], 1)
        assert x.dtype == y.dtype == np.float32
        first, second = ArithmeticSettings().subsets
        wide = x.astype("float64")
        expected = OPERATIONS[operation].label(
            wide[:, first].sum(1), wide[:, second].sum(1)
        )
        np.testing.assert_allclose(y[:, 0], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("split", SPLITS)
def test_ranges(split):
    low, high = (2, 6) if split == "extrapolation" else (1, 2)
    x, _ = arithmetic_ops.load("mul", split, **FEW)
    assert low <= x.min() < low + 0.01 * (high - low)
    assert high - 0.01 * (high - low) < x.max() <= high
    assert x.mean() == pytest.approx((low + high) / 2, rel=0.02)


def test_ranges_of_ones_own():
    x, y = arithmetic_ops.load(
        "sub", "extrapolation", extrapolation_range=(-2, -1), **FEW
    )
    assert -2 <= x.min() and x.max() <= -1
    assert np.isfinite(y).all()


def test_splits_share_no_record():
    same = {"extrapolation_range": (1, 2), **FEW}
    vectors = np.concatenate(
        [arithmetic_ops.load("mul", split, **same)[0] for split in SPLITS]
    )
    assert len(np.unique(vectors, axis=0)) == sum(FEW.values())


def test_same_seed_same_records():
    first = arithmetic_ops.load("mul", "train", **FEW)
    again = arithmetic_ops.load("mul", "train", **FEW)
    other = arithmetic_ops.load("mul", "train", seed=1, **FEW)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[0], other[0])
    assert ArithmeticSettings().subsets == FROZEN_SUBSETS
    assert first[1][0, 0] == pytest.approx(FROZEN_LABEL, abs=0.01)


@pytest.mark.parametrize("split", ["interpolation", "extrapolation"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_threshold_is_the_error_of_weights_off_by_epsilon(operation, split):
    """Of all weights off by ε either way, the worst are those of the threshold.

    There are few enough elements to try all signs.
    """
    settings = {"size": 4, "subset_ratio": 0.5, **FEW}
    epsilon = 1e-4
    x = arithmetic_ops.load("add", split, **settings)[0].astype("float64")
    label = OPERATIONS[operation].label
    weights = np.zeros((2, 4))
    for row, subset in zip(
        weights, ArithmeticSettings(**settings).subsets, strict=True
    ):
        row[subset] = 1
    exact = label(*(weights @ x.T))
    errors = [
        np.mean((label(*((weights + epsilon * signs) @ x.T)) - exact) ** 2)
        for signs in np.array(
            list(itertools.product((1, -1), repeat=8))
        ).reshape(-1, 2, 4)
    ]
    threshold = arithmetic_ops.success_threshold(
        operation, split, epsilon, **settings
    )
    assert threshold == pytest.approx(max(errors), rel=1e-6)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_labels_are_exact_enough_for_the_threshold(operation):
    settings = ArithmeticSettings(**FEW)
    for split in SPLITS:
        x, y = arithmetic_ops.load(operation, split, **FEW)
        exact = OPERATIONS[operation].label(*settings.sums(x))
        rounding = np.mean((y - exact) ** 2)
        threshold = arithmetic_ops.success_threshold(operation, split, **FEW)
        assert rounding < 1e-4 * threshold


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"operation": "mull"}, "Unknown operation 'mull'. Did you mean mul?"),
        ({"split": "test"}, "Unknown split 'test'."),
        (
            {"size": 0},
            "Invalid value for argument `size`. Expected an integer of at "
            "least 1. Received: size=0",
        ),
        *(
            (
                {"subset_ratio": ratio},
                "Invalid value for argument `subset_ratio`. Expected a number "
                f"above 0 and up to 1. Received: subset_ratio={ratio!r}",
            )
            for ratio in (0, 1.1, float("nan"), "half", True)
        ),
        *(
            (
                {"overlap_ratio": ratio},
                "Invalid value for argument `overlap_ratio`. Expected a number "
                f"from 0 to below 1. Received: overlap_ratio={ratio!r}",
            )
            for ratio in (-0.1, 1, float("nan"), None)
        ),
        (
            {"size": 3},
            "Invalid value for argument `subset_ratio`. Expected at least one "
            "of 3 elements in a subset. Received: subset_ratio=0.25",
        ),
        (
            {"subset_ratio": 0.8},
            "Invalid value for argument `subset_ratio`. Expected two subsets "
            "that fit into 100 elements. Received: subset_ratio=0.8, "
            "overlap_ratio=0.5, which take 120",
        ),
        *(
            (
                {"training_range": wrong},
                "Invalid value for argument `training_range`. Expected two "
                "numbers, the lower one first. Received: training_range=",
            )
            for wrong in ((2, 1), (1, 1), (1,), 3, (1, float("inf")), "12")
        ),
        (
            {"operation": "div", "extrapolation_range": (-2, 2)},
            "Invalid value for argument `extrapolation_range`. Expected "
            "positive numbers, which div needs. Received: "
            "extrapolation_range=(-2.0, 2.0)",
        ),
        ({"train_records": 0}, "argument `train_records`. Expected an integer"),
        ({"seed": -1}, "argument `seed`. Expected an integer of at least 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError) as error:
        arithmetic_ops.load(**{"operation": "mul", **arguments})
    assert message in str(error.value)


@pytest.mark.parametrize("epsilon", [0, -1e-5, float("nan"), "small", 1])
def test_bad_epsilon(epsilon):
    message = (
        "Expected less, so that the sums stay positive"
        if epsilon == 1
        else "Expected a positive number"
    )
    with pytest.raises(ValueError) as error:
        arithmetic_ops.success_threshold("root", epsilon=epsilon, **FEW)
    assert message in str(error.value)
    assert f"Received: epsilon={epsilon!r}" in str(error.value)


def test_configs():
    for operation in OPERATIONS:
        info = tfds.builder(f"arithmetic_ops/{operation}").info
        assert info.supervised_keys == ("x", "label")
        assert info.features["x"].shape == (100,)
