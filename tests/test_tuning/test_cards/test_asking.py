import numpy as np
import pytest

from tuning.cards.asking import Settings
from tuning.cards.asking import groups
from tuning.cards.asking import questions

SETTINGS = Settings(train_records=256, image_records=64, records=128)


def every_group():
    return [*groups("vectors"), *groups("images")]


@pytest.mark.parametrize("group", every_group(), ids=lambda each: each.name)
def test_records_fit_together(group):
    for split in ("train", "validation", *{t for _, t in group.questions()}):
        x, labels = group.records(SETTINGS, split)
        first = x[0] if isinstance(x, list) else x
        assert len(labels) == len(group.tasks)
        # One program serves all of them.
        assert len({(each.shape, each.dtype) for each in labels}) == 1
        assert len(labels[0]) == len(first)


@pytest.mark.parametrize("group", every_group(), ids=lambda each: each.name)
def test_no_question_is_trivial(group):
    for test in {test for _, test in group.questions()}:
        assert max(group.constants(SETTINGS, test)) < 0.9


def test_no_function_is_asked_twice():
    for inputs in ("many_hot", "random"):
        labels = {}
        for group in groups("vectors"):
            if group.inputs == inputs:
                _, found = group.records(SETTINGS, "test")
                labels.update(zip(group.tasks, found, strict=True))
        names = list(labels)
        for i, one in enumerate(names):
            for other in names[:i]:
                left, right = labels[one], labels[other]
                if left.shape == right.shape:
                    assert not np.array_equal(left, right), (one, other)
                    assert not np.array_equal(left, 1 - right), (one, other)


def test_questions_have_one_key_each():
    for kind in ("vectors", "images"):
        keys = [each.key for each in questions(kind)]
        assert len(set(keys)) == len(keys)


def test_is_right_within_the_tolerance():
    group = groups("vectors")[0]
    label = np.array([[0.0, 1.0, 1.0, 0.0]])
    off = np.array([[0.15, 1.0, 0.8, np.nan]])
    assert group.accuracy(off, label, label) == 0.5
