import numpy as np
import pytest

from tuning.population import batches as batches_module
from tuning.population.batches import Batches

X = np.arange(10, dtype="float32")[:, None]
Y = -X


def numbers(batches, steps):
    xs, (ys,) = batches.next(steps)
    np.testing.assert_array_equal(xs, -ys)
    assert xs.shape == ys.shape
    return xs[..., 0].astype(int).tolist()


def test_in_order_across_passes():
    batches = Batches(X, Y, 4, shuffle=False)
    assert (batches.records, batches.per_pass) == (10, 2)
    assert numbers(batches, 3) == [[0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 2, 3]]
    assert numbers(batches, 1) == [[4, 5, 6, 7]]


def test_every_pass_has_an_order_of_its_own():
    batches = Batches(X, Y, 5, seed=3)
    first, second = numbers(batches, 2), numbers(batches, 2)
    for one_pass in first, second:
        assert sorted(np.ravel(one_pass).tolist()) == list(range(10))
    assert first != second
    assert np.ravel(first).tolist() != list(range(10))


def test_leaves_out_different_remainders():
    batches = Batches(X, Y, 4)
    seen = [set(np.ravel(numbers(batches, 2))) for _ in range(8)]
    assert all(len(each) == 8 for each in seen)
    assert set.union(*seen) == set(range(10))


def test_seed_fixes_the_order():
    orders = [numbers(Batches(X, Y, 4, seed=s), 6) for s in (0, 0, 1)]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]


@pytest.mark.parametrize("parts", [[7], [1] * 7, [3, 4], [5, 2]])
def test_order_does_not_depend_on_how_many_are_asked_for(parts):
    batches = Batches(X, Y, 3, seed=5)
    order = [each for n in parts for each in numbers(batches, n)]
    assert order == numbers(Batches(X, Y, 3, seed=5), 7)


def test_one_pass_over_all_records():
    batches = Batches(X, Y, 4, shuffle=False, keep_all=True)
    parts = [xs[..., 0].astype(int).tolist() for xs, _ in batches.one_pass(1)]
    assert parts == [[[0, 1, 2, 3]], [[4, 5, 6, 7]], [[8, 9]]]
    parts = [xs.shape for xs, _ in batches.one_pass(100)]
    assert parts == [(2, 4, 1), (1, 2, 1)]


@pytest.mark.parametrize("batch_size, shapes", [(5, 1), (100, 1), (10, 1)])
def test_one_pass_without_remainder(batch_size, shapes):
    batches = Batches(X, Y, batch_size, shuffle=False, keep_all=True)
    parts = [xs.reshape(-1) for xs, _ in batches.one_pass(100)]
    assert len(parts) == shapes
    np.testing.assert_array_equal(np.concatenate(parts), X[:, 0])


def test_several_inputs_and_labels():
    def product(a, b):
        return a * b

    a, b = X, np.stack([X[:, 0]] * 3, axis=1) + 1
    batches = Batches([a, b], [Y, product], 2, seed=1)
    (first, second), (given, computed) = batches.next(5)
    assert first.shape == (5, 2, 1)
    assert second.shape == computed.shape == (5, 2, 3)
    np.testing.assert_array_equal(given, -first)
    np.testing.assert_array_equal(computed, first * second)


def test_function_of_a_single_input():
    _, (ys,) = Batches(X, np.square, 10, shuffle=False).next(1)
    np.testing.assert_array_equal(ys[0], X**2)


def test_reads_only_what_is_asked_for():
    class Watched:
        read = 0

        def __len__(self):
            return 1_000_000

        def __getitem__(self, index):
            self.read += len(index)
            return np.asarray(index, "float32")[:, None]

    watched = Watched()
    Batches([watched], lambda x: x, 8, shuffle=False).next(3)
    assert watched.read == 24


def test_different_lengths():
    with pytest.raises(ValueError, match=r"same number of records.*\[9, 10\]"):
        Batches(X, Y[:9], 2)
    with pytest.raises(ValueError, match=r"same number of records.*\[8, 10\]"):
        Batches([X, X[:8]], Y, 2)


def test_too_few_records():
    with pytest.raises(
        ValueError, match=r"at least one batch.* 10 records, batch_size=11"
    ):
        Batches(X, Y, 11)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, "many", None])
def test_bad_batch_size(batch_size):
    with pytest.raises(ValueError, match=r"argument `batch_size`.*positive"):
        Batches(X, Y, batch_size)


def test_large_batches_are_made_one_by_one(monkeypatch):
    x = np.zeros((64, 4), "float32")
    monkeypatch.setattr(batches_module, "MOST_BYTES", 8 * 4 * 4 * 2 * 3)
    made = Batches(x, x, 8)
    assert made.steps_at_once(256) == 3
    assert made.steps_at_once(2) == 2
    assert Batches(x, x, 64).steps_at_once(256) == 1
