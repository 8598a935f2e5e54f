"""The verdict of a card, and its rules.

A skill is a set of questions: "sums" are `a + b` and `Σ` on bits and on
numbers. A layer

- *learns* a skill if its score is 0.9 or more in every question of it;
- learns it *partly* if its mean score is 0.5 or more, or one question reaches
  0.9;
- does *not* learn it otherwise;
- *extrapolates* an arithmetic operation if its score is 0.9 or more on numbers
  beyond the range of training.

A question counts as not asked if there was no time for it, or too little to
finish training, unless the layer reached 0.9 until then. Layers are near each
other whose scores, from 0 to 1, differ least: the root of the mean of squared
differences, over the questions that both were asked.
"""

import math

import numpy as np

from tuning.cards.asking import BEYOND
from tuning.cards.asking import INSIDE
from tuning.cards.asking import questions

LEARNED, PARTLY = 0.9, 0.5
# With fewer questions in common, nearness says nothing.
FEWEST_IN_COMMON = 4


def scores(answers, full_steps=None):
    """Returns the score of each question that counts as asked.

    Args:
        answers: List of answers, as `tuning.cards.running.ask` returns them.
        full_steps: Dictionary of the steps of a training that was finished,
            by question. Default: all were.
    """
    found = {}
    for answer in answers:
        key, skill = answer["question"], answer["skill"]
        finished = full_steps is None or answer["steps"] >= full_steps[key]
        if finished or skill >= LEARNED:
            found[key] = skill
    return found


def judge(kind, found):
    """Returns a verdict on scores.

    Args:
        kind: `"vectors"` or `"images"`.
        found: Dictionary of the scores by question.

    Returns:
        A dictionary of lists of words: `learns`, `partly`, `not`,
        `extrapolates` and `not asked`. `extrapolates` is None if that was not
        asked.
    """
    skills, beyond = {}, {}
    for question in questions(kind):
        if question.heading == BEYOND:
            if question.key in found:
                beyond[question.skill] = found[question.key]
        elif question.heading != INSIDE:
            skills.setdefault(question.skill, []).append(question)
    verdict = {"learns": [], "partly": [], "not": [], "not asked": []}
    for skill, mine in skills.items():
        asked = [each for each in mine if each.key in found]
        learned = [each for each in asked if found[each.key] >= LEARNED]
        mean = np.mean([max(found[each.key], 0) for each in asked or ()] or 0)
        if not asked:
            verdict["not asked"].append(skill)
        elif len(learned) == len(asked):
            verdict["learns"].append(skill)
        elif learned or mean >= PARTLY:
            verdict["partly"].append(skill)
        else:
            verdict["not"].append(skill)
    verdict["extrapolates"] = (
        [skill for skill, score in beyond.items() if score >= LEARNED]
        if beyond
        else None
    )
    return verdict


def in_words(verdict, cost=None):
    """Returns a verdict as a sentence.

    Args:
        verdict: As `judge` returns it.
        cost: Dictionary of `step_time` and `rival`, as
            `tuning.cards.running.measure_cost` returns it, or None.
    """
    parts = []
    if verdict["learns"]:
        parts.append(f"learns {listed(verdict['learns'])}")
    if verdict["partly"]:
        partly = "partly" if parts else "partly learns"
        parts.append(f"{partly} {listed(verdict['partly'])}")
    if verdict["not"]:
        learns = bool(parts)
        words = listed(verdict["not"], "or")
        parts.append(f"not {words}" if learns else f"does not learn {words}")
    if verdict["extrapolates"] is not None:
        words = listed(verdict["extrapolates"]) or "nothing"
        parts.append(f"extrapolates {words}")
    if cost and cost.get("step_time"):
        names = {"Dense": "a dense layer", "Conv2D": "a convolution"}
        parts.append(
            f"{ratio(cost['step_time'])} times the step time of "
            f"{names[cost['rival']]}"
        )
    if verdict["not asked"]:
        parts.append(f"not asked: {listed(verdict['not asked'])}")
    sentence = "; ".join(parts) or "nothing was asked"
    return f"{sentence[0].upper()}{sentence[1:]}."


def rounded(score, digits=2):
    """Returns a score from 0 to 1 as text, rounded down: 0.899 is not 0.90."""
    share = math.floor(min(max(score, 0), 1) * 10**digits + 1e-9) / 10**digits
    return f"{share:.{digits}f}"


def ratio(number):
    """Returns a ratio with as many digits as are worth saying."""
    return f"{number:.1f}" if number < 9.95 else f"{number:.0f}"


def listed(words, last="and"):
    """Returns words as a list in a sentence."""
    *most, final = words or [""]
    return f"{', '.join(most)} {last} {final}" if most else final


def distance(one, other):
    """Returns how far the scores of two layers are apart, or infinity."""
    common = one.keys() & other.keys()
    if len(common) < FEWEST_IN_COMMON:
        return math.inf
    left, right = (
        np.clip([each[key] for key in sorted(common)], 0, 1)
        for each in (one, other)
    )
    return float(np.sqrt(np.mean((left - right) ** 2)))


def nearest(found, known, count=3):
    """Returns the names of the known layers that are nearest.

    Args:
        found: Dictionary of scores by question.
        known: Dictionary of such dictionaries by name.
        count: Integer.
    """
    distances = {name: distance(found, each) for name, each in known.items()}
    finite = [name for name in known if distances[name] < math.inf]
    return sorted(finite, key=distances.get)[:count]
