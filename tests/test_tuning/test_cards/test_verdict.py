import pytest

from tuning.cards import verdict
from tuning.cards.asking import BEYOND
from tuning.cards.asking import questions

KEYS = {
    skill: [
        each.key
        for each in questions("vectors")
        if each.skill == skill
        and each.heading != BEYOND
        and "/" in each.key
        and not each.key.endswith("interpolation")
    ]
    for skill in ("sums", "products", "dot products", "logic on bits", "copies")
}
ALL = {each.key: 0.0 for each in questions("vectors")}


def scores(**skills):
    names = {name.replace("_", " "): score for name, score in skills.items()}
    return {
        **ALL,
        **{key: score for name, score in names.items() for key in KEYS[name]},
    }


def test_says_what_a_person_would():
    found = scores(sums=1.0, products=0.95, logic_on_bits=0.9, copies=1.0)
    judged = verdict.judge("vectors", found)
    cost = {"step_time": 1.42, "rival": "Dense"}
    assert verdict.in_words(judged, cost) == (
        "Learns logic on bits, sums, copies and products; not dot products; "
        "extrapolates nothing; 1.4 times the step time of a dense layer."
    )


@pytest.mark.parametrize(
    "values, place",
    [
        ((0.9, 0.9), "learns"),
        ((0.89, 0.9), "partly"),
        ((0.5, 0.5), "partly"),
        ((0.9, 0.0), "partly"),
        ((0.49, 0.49), "not"),
        # Below the best constant is no worse than it.
        ((0.6, 0.6, -50.0), "not"),
    ],
)
def test_places_skills_by_the_rule(values, place):
    found = {**ALL, **dict(zip(KEYS["sums"], values, strict=False))}
    found = {
        key: score
        for key, score in found.items()
        if key not in KEYS["sums"][len(values) :]
    }
    assert "sums" in verdict.judge("vectors", found)[place]


def test_what_was_not_asked_is_not_judged():
    found = {key: 1.0 for key in KEYS["sums"]}
    judged = verdict.judge("vectors", found)
    assert judged["learns"] == ["sums"] and judged["not"] == []
    assert judged["extrapolates"] is None
    assert verdict.in_words(judged).startswith("Learns sums; not asked: ")


def test_a_skill_that_is_learned_in_part_makes_a_sentence():
    found = {**ALL, **dict.fromkeys(KEYS["sums"], 0.6)}
    words = verdict.in_words(verdict.judge("vectors", found))
    assert words.startswith("Partly learns sums; not logic on bits")


def test_extrapolates_what_is_learned_beyond_the_range():
    found = {**ALL, "add/extrapolation": 0.97, "mul/interpolation": 1.0}
    words = verdict.in_words(verdict.judge("vectors", found))
    assert "extrapolates sums" in words
    assert words.startswith("Does not learn ")


def test_training_that_was_stopped_counts_only_if_it_succeeded():
    answers = [
        {"question": "a", "skill": 0.95, "steps": 5},
        {"question": "b", "skill": 0.5, "steps": 5},
        {"question": "c", "skill": 0.5, "steps": 10},
    ]
    found = verdict.scores(answers, {"a": 10, "b": 10, "c": 10})
    assert found == {"a": 0.95, "c": 0.5}


def test_names_the_nearest():
    mine = scores(sums=1.0)
    known = {
        "far": scores(products=1.0, copies=1.0),
        "near": scores(sums=0.9),
        "same": scores(sums=3.0),
        "hardly asked": {KEYS["sums"][0]: 1.0},
    }
    assert verdict.nearest(mine, known) == ["same", "near", "far"]
    assert verdict.distance(mine, known["same"]) == 0.0


def test_a_score_that_is_not_learned_never_looks_so():
    assert verdict.rounded(0.8999) == "0.89"
    assert verdict.rounded(0.8999, 1) == "0.8"
    assert verdict.rounded(0.9) == verdict.rounded(0.29 + 0.61) == "0.90"
    assert verdict.rounded(-5) == "0.00" and verdict.rounded(1.0) == "1.00"
