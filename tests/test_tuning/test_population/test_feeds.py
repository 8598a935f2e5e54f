"""Batches come in pieces that memory can hold, each record once."""

import numpy as np
import pytest

from tuning.population import batches
from tuning.population.feeds import Stream
from tuning.population.feeds import feed

pytestmark = pytest.mark.backends("torch")

X = np.arange(44, dtype="float32").reshape(11, 4)
BATCHES = [(X[:4], X[:4], None), (X[4:8], X[4:8], None), (X[8:], X[8:], None)]


def streamed():
    return Stream(BATCHES, lambda rng: iter(BATCHES), len(BATCHES))


@pytest.mark.parametrize("data", [lambda: (X, X, None), streamed])
@pytest.mark.parametrize("most_bytes, steps", [(10**6, [2, 1]), (1, [1, 1, 1])])
def test_pieces_are_bounded_by_bytes(monkeypatch, data, most_bytes, steps):
    monkeypatch.setattr(batches, "MOST_BYTES", most_bytes)
    pieces = [piece for piece, _ in feed(data(), 4, None, None).epoch()]
    assert [len(piece["x"]) for piece in pieces] == steps
    read = [piece["x"].reshape(-1, 4) for piece in pieces]
    np.testing.assert_array_equal(np.concatenate(read), X)
