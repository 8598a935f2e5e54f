"""The page of findings."""

import collections

from experiments.findings import arithmetic
from experiments.findings import article
from experiments.findings import attention
from experiments.findings import interactions
from experiments.findings.claim import Verdict

INTRODUCTION = """\
# Findings

Each claim of this project's sources, the verdict of the results committed
here, and the figures it rests on. {counts}

`python -m experiments.findings` writes this page from the committed rows, and
a test fails where a figure differs from them.

![The best network of each kind on each function](findings/families.png)

![Loss on XOR of bits](findings/xor.png)

![Residual minus plain networks](findings/residual.png)

**How to read it.** Brackets are 95 % intervals: Wilson's for shares, Student's
for means. A function counts as learned at an accuracy of {learned:.0%} on test
records. The skill is (accuracy − constant) / (1 − constant) beside the best
constant, not below 0. Functions that a constant gets right are left out, and
equal ones are counted once. “Undecided” says what would settle a claim.
"""
PARTS = (
    (
        "Element-wise multiplication",
        article,
        "From the article *Incorporating element-wise multiplication can "
        "out-perform dense layers in neural networks*. [945 trainings]"
        "(../experiments/whole_grid/README.md) by the article's text, from one "
        "seed; [XOR](../experiments/thorough/README.md) and [dot products of "
        "other widths](../experiments/widths/README.md), trained thoroughly; "
        "and [a sample of cells](../experiments/released/README.md) as the "
        "article's code trained and evaluated them.",
    ),
    (
        "Attention over layers",
        attention,
        "From the proposal *Layer-Attended Convolutional Networks* (Bird, "
        "2022). [A first study](../experiments/layer_attention/README.md) of "
        "11 networks at 3 depths, from 5 seeds, leaves all of it open. The "
        "second study that would settle most of it has batch normalization, "
        "equal widths as well as equal parameters, rates that do not lie at "
        "the edge of those tried, 10 seeds and 10,000 steps.",
    ),
    (
        "Neural arithmetic",
        arithmetic,
        "From *Neural Arithmetic Units* (Madsen and Johansen, 2020) and "
        "*Neural Arithmetic Logic Units* (Trask et al., 2018). [210 trainings]"
        "(../experiments/neural_arithmetic/README.md), 5 seeds each.",
    ),
    (
        "Multiplicative interactions",
        interactions,
        "From *Multiplicative Interactions and Where to Find Them* (Jayakumar "
        "et al., 2020). [Networks of growing size]"
        "(../experiments/interaction_parameters/README.md), and [one network "
        "of many tasks](../experiments/conditioning/README.md).",
    ),
)


def text():
    """Returns the page."""
    parts = [(title, module.claims(), text) for title, module, text in PARTS]
    counts = collections.Counter(
        claim.verdict for _, claims, _ in parts for claim in claims
    )
    said = ", ".join(f"{counts[each]} {each}" for each in Verdict)
    lines = [
        INTRODUCTION.format(
            counts=f"{counts.total()} claims: {said}.",
            learned=article.LEARNED,
        )
    ]
    for title, claims, source in parts:
        lines.append(f"\n## {title}\n\n{source}\n")
        for number, claim in enumerate(claims, 1):
            missing = (
                f" *To settle it: {claim.missing}*" if claim.missing else ""
            )
            lines.append(
                f"{number}. **{claim.verdict.capitalize()}:** {claim.text} "
                f"{claim.evidence}{missing}"
            )
    return "\n".join(lines) + "\n"
