"""The claims on multiplicative interactions."""

from experiments import answers
from experiments.comparison import differences
from experiments.comparison import estimate
from experiments.conditioning import report as conditioning
from experiments.conditioning.training import Settings as ConditioningSettings
from experiments.findings import rows
from experiments.findings.claim import Claim
from experiments.findings.claim import Verdict
from experiments.findings.claim import by_sign

SUPPORTED, REFUTED, UNDECIDED = Verdict


def claims():
    return [fewer_parameters(), strictly_richer(), conditional(), sequences()]


def fewest(function, network, dimension):
    """The fewest parameters that fit, None where no network tried did."""
    found = rows.parameters()
    found = found[
        (found.function == function)
        & (found.network == network)
        & (found.dimension == dimension)
        & found.reached
    ]
    return None if found.empty else int(found.parameters.min())


def fewer_parameters():
    found = rows.parameters()
    sizes = sorted(found[found.function == "dot"].dimension.unique())
    both = [
        (size, fewest("dot", "mlp", size), fewest("dot", "interaction", size))
        for size in sizes
    ]
    fitted = [each for each in both if None not in each]
    size, mlp, interaction = fitted[-1]
    failed = [str(each[0]) for each in both if each[1] is None]
    always = all(mlp > mine for _, mlp, mine in fitted)
    return Claim(
        "A dot product takes fewer parameters with a multiplicative "
        "interaction than with a perceptron of one hidden layer.",
        SUPPORTED if always else UNDECIDED,
        f"At dimension {size}, {interaction:,} against {mlp:,}; at "
        f"{' and '.join(failed)} no perceptron of up to 2,048 units was "
        "trained to fit. That measures training as much as need: another "
        "procedure may do with fewer. For a sum the perceptron needs fewer.",
        "A perceptron of fewer parameters that fits would refute it.",
    )


def strictly_richer():
    return Claim(
        "Multiplicative interactions strictly enlarge the space of functions "
        "that a network of a given form represents.",
        UNDECIDED,
        "A theorem of the paper; nothing was computed here.",
        "The paper's own example, computed.",
    )


def conditional():
    found = conditioning.values(
        answers.committed_rows("conditioning"),
        ConditioningSettings(),
        "explained",
    )
    reference = conditioning.REFERENCE
    _, products = conditioning.KINDS["multiplied"]
    beside = differences(found, reference)
    best = max(products, key=lambda network: beside[network].mean)
    above = [each for each in products if beside[each].sign > 0]
    return Claim(
        "They help where a network is to do one of many tasks.",
        by_sign(beside[best]),
        "Of one network of 12 operations that is told which by an embedding, "
        f"“{best}” explains {estimate(found[best])} of the labels' variance, "
        f"{reference} {estimate(found[reference])}: a difference of "
        f"{beside[best]}, corrected for {len(beside)} comparisons. "
        f"{len(above)} of {len(products)} ways to multiply are better beyond "
        "that.",
        "More seeds, and longer training.",
    )


def sequences():
    return Claim(
        "They help in models of sequences.",
        UNDECIDED,
        "Not tried yet.",
        "A character model with and without them, at equal parameters.",
    )
