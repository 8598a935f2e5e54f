import dataclasses

import pytest

from experiments import rates


@dataclasses.dataclass(frozen=True)
class Settings:
    learning_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    seeds: tuple[int, ...] = (0, 1, 2)
    rate_seeds: tuple[int, ...] = (0, 1)


@dataclasses.dataclass(frozen=True)
class Row:
    learning_rate: float
    seed: int
    validation_loss: float


def run(best, known=(), settings=None):
    """Searches where a rate is the worse the further it is from the best."""
    best = rates.GRID.index(best)

    def fit(pairs):
        return [
            Row(rate, seed, abs(rates.GRID.index(rate) - best) + 0.1 * seed)
            for rate, seed in pairs
        ]

    calls = list(rates.search(fit, known, settings or Settings()))
    return calls, [row for call in calls for row in call]


@pytest.mark.parametrize(
    "best, tried",
    [
        (3e-3, [1e-3, 3e-3, 1e-2]),
        (3e-2, [1e-3, 3e-3, 1e-2, 3e-2, 1e-1]),
        (1e-4, [3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]),
        # The last one of all.
        (1.0, [1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0]),
    ],
)
def test_rates_are_tried_until_the_best_has_neighbours(best, tried):
    _, rows = run(best)
    assert sorted({row.learning_rate for row in rows}) == tried
    assert rates.best_rate(rows, (0, 1)) == best
    assert rates.is_at_edge(rows, Settings()) == (best == 1.0)
    chosen = rates.chosen(rows, Settings())
    assert [(row.learning_rate, row.seed) for row in chosen] == [
        (best, 0),
        (best, 1),
        (best, 2),
    ]


def test_what_is_known_is_not_trained_again():
    calls, rows = run(3e-2)
    for count in range(len(calls) + 1):
        known = [row for call in calls[:count] for row in call]
        assert run(3e-2, known)[1] == rows[len(known) :]
        finished = count == len(calls)
        assert rates.is_finished(known, Settings()) == finished
    # Half of a call.
    _, rest = run(3e-2, rows[:3])
    assert sorted(map(repr, rest)) == sorted(map(repr, rows[3:]))


def test_a_single_rate_is_taken_as_it_is():
    settings = Settings(learning_rates=(1e-2,))
    _, rows = run(1e-4, settings=settings)
    assert {row.learning_rate for row in rows} == {1e-2}
    assert len(rows) == 3


def test_a_rate_that_diverges_is_never_the_best():
    rows = [Row(1e-2, 0, float("nan")), Row(1e-3, 0, 5.0)]
    assert rates.best_rate(rows, (0,)) == 1e-3
