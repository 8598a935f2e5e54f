"""The proposal's claims on attention over layers, on the first study."""

import numpy as np

from experiments.findings import rows
from experiments.findings.claim import Claim
from experiments.findings.claim import Verdict
from experiments.findings.claim import mean

SUPPORTED, REFUTED, UNDECIDED = Verdict
SECOND = "The second study."


def runs(network, depth, column):
    found = rows.attention()
    found = found[(found.network == network) & (found.depth == depth)]
    return found.sort_values("seed")[column].to_numpy()


def difference(column, first, second):
    """The mean difference of two (network, depth), paired by seed."""
    return mean(runs(*first, column) - runs(*second, column))


def attended():
    names = rows.attention().network.unique()
    return [n for n in names if n not in ("plain", "residual", "sum")]


def claims():
    return [
        depth_hurts(),
        attention_prevents(),
        climbs(),
        gradients(),
        concatenation(),
        corruption(),
        *untested(),
    ]


def depth_hurts():
    position = difference("position_accuracy", ("plain", 4), ("plain", 8))
    digit = difference("digit_accuracy", ("plain", 4), ("plain", 8))
    return Claim(
        "More convolutions make a plain network lose the position.",
        SUPPORTED if position.sign > 0 and digit.sign <= 0 else UNDECIDED,
        f"From 4 to 8 convolutions it loses {position} of the position's "
        f"accuracy, and {digit} of the digit's: depth hurts both, the digit "
        "more.",
        f"{SECOND} The digit alone against the position alone.",
    )


def attention_prevents():
    better = {}
    for depth in (2, 4, 8):
        signs = [
            difference("position_accuracy", (name, depth), ("plain", depth))
            for name in attended()
        ]
        better[depth] = sum(each.sign > 0 for each in signs)
    against = [
        difference("position_accuracy", (name, 8), ("plain", 4))
        for name in attended()
    ]
    ahead = sum(each.sign > 0 for each in against)
    return Claim(
        "Attention over layers prevents it.",
        UNDECIDED,
        f"At 8 convolutions {better[8]} of {len(attended())} attended networks "
        f"find positions better than the plain one, at 4 {better[4]}, at 2 "
        f"{better[2]}. Against the plain network at its best depth, 4, "
        f"{ahead} of {len(attended())} at 8 convolutions are ahead. None of "
        "this is corrected for the number of comparisons.",
        SECOND,
    )


def climbs():
    return Claim(
        "Attention first moves to the lowest layer and then climbs.",
        UNDECIDED,
        "Its report finds that weights move so in 2 of 4 networks that have "
        "any, contributions to the output in 1 of 8; the curves were not "
        "kept. Static weights before a linear layer say nothing by "
        "themselves, as that layer can undo them.",
        f"{SECOND} Contributions, not weights.",
    )


def gradients():
    return Claim(
        "Gradients reach the early layers less diluted.",
        UNDECIDED,
        "Its report finds that the first convolution's gradient is greater "
        "than in the plain network in 1 of 8 attended networks and smaller in "
        "4; the curves were not kept. The ratio to the last convolution's "
        "counts layers whose units are all off.",
        SECOND,
    )


def concatenation():
    depths = (2, 4, 8)
    signs = [
        difference("accuracy", ("concat", depth), ("sum", depth))
        for depth in depths
    ]
    means = {
        name: np.mean(
            [runs(name, depth, "accuracy").mean() for depth in depths]
        )
        for name in ("concat", "sum")
    }
    return Claim(
        "To concatenate and contract beats an element-wise sum.",
        UNDECIDED,
        f"Where all layers are read out, it is ahead at "
        f"{sum(each.sign > 0 for each in signs)} of {len(depths)} depths "
        f"({', '.join(map(str, signs))}); mean accuracy "
        f"{means['concat']:.3f} against {means['sum']:.3f}. At the bypass of "
        "each layer, which the proposal means, it was not tried.",
        f"{SECOND} Concatenation at every bypass.",
    )


def corruption():
    kept = {
        name: mean(runs(name, 8, "mean_corrupted") / runs(name, 8, "accuracy"))
        for name in [*attended(), "sum", "plain"]
    }
    above = sum(kept["sum"].value > kept[name].value for name in attended())
    return Claim(
        "A corrupted layer does not ruin an attended network.",
        UNDECIDED,
        f"With one convolution set to noise, attended networks keep "
        f"{min(kept[n].value for n in attended()):.0%} to "
        f"{max(kept[n].value for n in attended()):.0%} of their accuracy, the "
        f"plain one {kept['plain'].value:.0%}, and a sum of all layers "
        f"{kept['sum'].value:.0%}, more than {above} of {len(attended())} of "
        "them. Corruption at initialisation, which the proposal means, was "
        "not tried.",
        f"{SECOND} Corruption before training.",
    )


def untested():
    missing = {
        "The share β of a residual connection becomes fixed in training.": (
            "A record of β over training."
        ),
        "Plain networks are slow in the first epochs, attended ones are not.": (
            "Curves of the first epochs, from 10 seeds."
        ),
        "Attention shifts from input to input to the layer that is needed.": (
            "Attention per input, on inputs that need different layers."
        ),
        "Attention climbs only as high as the task needs.": (
            "The digit alone against the position alone."
        ),
        "Layers converge from the bottom up.": (
            "The change of each layer's weights over training."
        ),
    }
    return [
        Claim(text, UNDECIDED, "Not tried yet.", needed)
        for text, needed in missing.items()
    ]
