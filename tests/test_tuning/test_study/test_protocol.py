import dataclasses

import pytest

from tuning.study.protocol import PROTOCOLS
from tuning.study.protocol import Protocol
from tuning.study.search import epochs_and_steps

THOROUGH = PROTOCOLS["thorough"]


@pytest.mark.parametrize(
    ("best", "further"),
    [(1e-4, 3.16e-5), (1e-3, None), (1e-2, 0.0316)],
)
def test_rates_are_extended_while_the_best_is_at_an_edge(best, further):
    assert THOROUGH.next_rate([1e-4, 1e-3, 1e-2], best) == further


def test_rates_end_somewhere():
    assert THOROUGH.next_rate([1e-6, 1e-5], 1e-6) is None
    assert THOROUGH.next_rate([10.0, 100.0], 100.0) is None


def test_the_article_tries_no_further_rates():
    assert Protocol().next_rate([1e-4, 1e-3], 1e-3) is None


def test_steps_are_those_asked_for():
    protocol = dataclasses.replace(Protocol(), train_steps=1_500)
    assert protocol.train_epochs == 2
    assert epochs_and_steps(2, 1_500) == {"epochs": 2, "steps_per_epoch": 750}


def test_unknown_name():
    with pytest.raises(ValueError, match="`name`"):
        Protocol(name="quick")
