import numpy as np
import pytest

from tasks.reasoning_ops.inputs import INPUTS
from tasks.reasoning_ops.operations import OPERATIONS

# A record of every distribution.
RECORDS = {
    "one_hot": ([0, 1, 0, 0], [0, 0, 1, 0]),
    "many_hot": ([1, 1, 0, 0], [1, 0, 1, 0]),
    "random": ([0.5, -1.0, 0.25, 0.0], [0.5, 0.5, -0.75, 0.125]),
    "random_pos": ([0.5, 0.0, 0.25, 0.75], [0.5, 0.5, 0.75, 0.125]),
}

# Their labels, worked by hand.
LABELS = {
    ("concat", "one_hot"): [0, 1, 0, 0, 0, 0, 1, 0],
    ("concat", "many_hot"): [1, 1, 0, 0, 1, 0, 1, 0],
    ("concat", "random"): [0.5, -1, 0.25, 0, 0.5, 0.5, -0.75, 0.125],
    ("concat", "random_pos"): [0.5, 0, 0.25, 0.75, 0.5, 0.5, 0.75, 0.125],
    ("elementwise_mul", "one_hot"): [0, 0, 0, 0],
    ("elementwise_mul", "many_hot"): [1, 0, 0, 0],
    ("elementwise_mul", "random"): [0.25, -0.5, -0.1875, 0],
    ("elementwise_mul", "random_pos"): [0.25, 0, 0.1875, 0.09375],
    ("elementwise_add", "one_hot"): [0, 1, 1, 0],
    ("elementwise_add", "many_hot"): [2, 1, 1, 0],
    ("elementwise_add", "random"): [1, -0.5, -0.5, 0.125],
    ("elementwise_add", "random_pos"): [1, 0.5, 1, 0.875],
    ("dot", "one_hot"): [0],
    ("dot", "many_hot"): [1],
    ("dot", "random"): [-0.4375],
    ("dot", "random_pos"): [0.53125],
    ("reduce_sum", "one_hot"): [2],
    ("reduce_sum", "many_hot"): [4],
    ("reduce_sum", "random"): [0.125],
    ("reduce_sum", "random_pos"): [3.375],
    ("reduce_max", "one_hot"): [1],
    ("reduce_max", "many_hot"): [1],
    ("reduce_max", "random"): [0.5],
    ("reduce_max", "random_pos"): [0.75],
    ("equality", "one_hot"): [1, 0, 0, 1],
    ("equality", "many_hot"): [1, 0, 0, 1],
    ("almost_equal", "one_hot"): [1, 0, 0, 1],
    ("almost_equal", "many_hot"): [1, 0, 0, 1],
    ("one_hot_sum", "one_hot"): [0, 0, 0, 1],
    ("logical_and", "one_hot"): [0, 0, 0, 0],
    ("logical_and", "many_hot"): [1, 0, 0, 0],
    ("logical_or", "one_hot"): [0, 1, 1, 0],
    ("logical_or", "many_hot"): [1, 1, 1, 0],
    ("logical_xor", "one_hot"): [0, 1, 1, 0],
    ("logical_xor", "many_hot"): [0, 1, 1, 0],
}


@pytest.mark.parametrize("pair", LABELS, ids="-".join)
def test_label(pair):
    task, inputs = pair
    a, b = np.array(RECORDS[inputs], np.float32)
    label = OPERATIONS[task].label(a, b)
    np.testing.assert_array_equal(label, LABELS[pair])
    assert label.dtype == np.float32


def test_every_pair_that_makes_sense_is_worked_by_hand():
    assert set(LABELS) == {
        (operation.name, inputs)
        for operation in OPERATIONS.values()
        for inputs in operation.inputs
    }
    assert len(OPERATIONS) == 12


def test_names_are_known():
    for name, operation in OPERATIONS.items():
        assert operation.name == name
        assert set(operation.inputs) <= set(INPUTS)
        assert bool(operation.reason) == (len(operation.inputs) < len(INPUTS))


@pytest.mark.parametrize("name", OPERATIONS)
def test_leading_axes_and_width(name):
    operation = OPERATIONS[name]
    rng = np.random.default_rng(0)
    a, b = rng.integers(2, size=(2, 3, 5, 7)).astype(np.float32)
    label = operation.label(a, b)
    assert label.shape == (3, 5, operation.label_width(7))
    assert label.dtype == np.float32
    np.testing.assert_array_equal(
        label[1, 2], operation.label(a[1, 2], b[1, 2])
    )


@pytest.mark.parametrize(
    "a, b, expected",
    [
        (0, 0, [1, 0, 0, 0]),
        (1, 1, [0, 0, 1, 0]),
        (3, 0, [0, 0, 0, 1]),
        (3, 1, [0, 0, 0, 0]),  # 4 is past the end
        (3, 3, [0, 0, 0, 0]),
    ],
)
def test_one_hot_sum(a, b, expected):
    eye = np.eye(4, dtype=np.float32)
    label = OPERATIONS["one_hot_sum"].label(eye[a], eye[b])
    np.testing.assert_array_equal(label, expected)


def test_almost_equal_has_a_tolerance():
    a = np.array([0.5, 0.5, 0.5, 0.0], np.float32)
    b = np.array([0.5009, 0.5011, 0.4991, 0.001], np.float32)
    label = OPERATIONS["almost_equal"].label(a, b)
    np.testing.assert_array_equal(label, [1, 0, 1, 1])


def test_any_number_but_zero_is_true():
    a = np.array([-0.5, 0, 2, 0], np.float32)
    b = np.array([0.5, 0, 0, -3], np.float32)
    for name, expected in (
        ("logical_and", [1, 0, 0, 0]),
        ("logical_or", [1, 0, 1, 1]),
        ("logical_xor", [0, 0, 1, 1]),
    ):
        label = OPERATIONS[name].label(a, b)
        np.testing.assert_array_equal(label, expected)


def test_sums_do_not_lose_small_terms():
    a = np.full((1, 4), 1.0, np.float32)
    b = np.array([[1e8, 1, 1, -1e8]], np.float32)
    assert OPERATIONS["dot"].label(a, b) == 2
    assert OPERATIONS["reduce_sum"].label(a, b) == 6
