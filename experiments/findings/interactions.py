"""The claims on multiplicative interactions."""

from experiments.findings import rows
from experiments.findings.claim import Claim
from experiments.findings.claim import Verdict

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
    return Claim(
        "They help where a network is to do one of many tasks.",
        UNDECIDED,
        "Not tried yet.",
        "One network for all operations, told which by an embedding, with "
        "each way of conditioning.",
    )


def sequences():
    return Claim(
        "They help in models of sequences.",
        UNDECIDED,
        "Not tried yet.",
        "A character model with and without them, at equal parameters.",
    )
