import dataclasses
import math
import time

import keras
import numpy as np
import pytest

from tuning.cards import running
from tuning.cards.asking import Group
from tuning.cards.asking import Settings
from tuning.cards.asking import groups
from tuning.cards.subjects import Subject

# What a card asks does not depend on the backend; the population's own tests
# cover these.
pytestmark = pytest.mark.backends("torch")

SETTINGS = Settings(
    width=4,
    steps=40,
    checks=4,
    learning_rates=(1e-6, 1e-2),
    seeds=3,
    train_records=320,
    records=64,
)
SUMS = Group("", "vectors", "random", ("elementwise_add", "elementwise_mul"))


def job_of(deadline=math.inf, **settings):
    return running.Job(
        Subject("Dense", keras.layers.Dense),
        SUMS,
        dataclasses.replace(SETTINGS, **settings),
        deadline,
    )


def ask(job):
    sent = []
    answers = running.ask(job, lambda kind, content: sent.append(content))
    return answers, sum(sent)


def test_one_rate_is_chosen_for_all_seeds():
    job = job_of()
    answers, steps = ask(job)
    # Two rates from the first seed, one of them from two more.
    assert steps == job.steps == 2 * (2 + 2) * 40
    for answer in answers:
        assert [each["learning_rate"] for each in answer["seeds"]] == [1e-2] * 3
        assert answer["steps"] == 40
        assert len({each["accuracy"] for each in answer["seeds"]}) > 1


def test_the_first_seed_stands_alone_where_time_is_short(monkeypatch):
    train = running._train

    def train_in_time_once(job, *arguments):
        train(job, *arguments)
        late = dataclasses.replace(job, deadline=time.monotonic() - 1)
        monkeypatch.setattr(
            running, "_train", lambda job, *rest: train(late, *rest)
        )
        return True

    monkeypatch.setattr(running, "_train", train_in_time_once)
    answers, _ = ask(job_of())
    assert [len(each["seeds"]) for each in answers] == [1, 1]
    assert [each["steps"] for each in answers] == [40, 40]


def test_training_ends_when_a_question_is_learned(monkeypatch):
    goal = {"monitor": "val_loss", "target": 1e9, "mode": "min"}
    monkeypatch.setattr(Group, "goal", lambda self, label: goal)
    answers, _ = ask(job_of())
    # The first look is after 10 steps.
    assert {s["steps"] for each in answers for s in each["seeds"]} == {10}
    assert {each["steps"] for each in answers} == {40}


@pytest.mark.parametrize("kind", ["arithmetic", "images"])
def test_other_questions_take_all_steps(kind):
    for group in [*groups("vectors"), *groups("images")]:
        if group.kind == kind:
            assert group.goal(np.ones((4, 1))) == {}


def test_cost_has_parameters_at_the_width_that_is_asked(monkeypatch):
    monkeypatch.setattr(running, "TIMED_STEPS", 10)
    monkeypatch.setattr(running, "TURNS", 3)
    cost = running.measure_cost(dataclasses.replace(job_of(), group=None))
    assert cost["parameters"] == cost["rival_parameters"] == 257 * 128
    assert cost["asked_parameters"] == 9 * 4
    assert cost["turns"] == 3 and cost["step_time"] > 0
