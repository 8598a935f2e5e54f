"""The article's claims on dot products and sums."""

from experiments.findings import rows
from experiments.findings.claim import LEARNED
from experiments.findings.claim import Claim
from experiments.findings.claim import Verdict
from experiments.findings.claim import share

SUPPORTED, REFUTED, UNDECIDED = Verdict
INPUTS = ("random", "random_pos", "many_hot")
# Fewer seeds decide nothing.
SEEDS = 3


def learned(task, network="multiply", width=128):
    """Returns how many seeds learn a task when trained thoroughly.

    Returns:
        How many, and of how many.
    """
    found = rows.widths()
    found = found[
        (found.task == task)
        & (found.family == network)
        & (found.width == width)
    ]
    return int((found.accuracy >= LEARNED).sum()), len(found)


def _learns(*arguments):
    """Whether most seeds learn; None where there are too few."""
    count, total = learned(*arguments)
    return count > total / 2 if total >= SEEDS else None


def _said(*arguments, **options):
    count, total = learned(*arguments, **options)
    return f"from {share(count, total)} seeds" if total else "not tried"


def struggles():
    dots = [rows.best("dot", name)["multiply"] for name in INPUTS]
    sums = [rows.best("reduce_sum", name)["multiply"] for name in INPUTS]
    thorough = [_learns("dot"), _learns("reduce_sum")]
    verdict = SUPPORTED if max(*dots, *sums) < LEARNED else REFUTED
    if any(thorough):
        verdict = REFUTED
    elif None in thorough:
        verdict = UNDECIDED
    return Claim(
        "`multiply` struggles with the dot product and the sum.",
        verdict,
        f"By the article's procedure its accuracy is {min(dots):.2f} to "
        f"{max(dots):.2f} on dot products and {min(sums):.2f} to "
        f"{max(sums):.2f} on sums, of vectors of 128. That is the procedure's "
        f"fault: trained thoroughly on inputs `random`, it learns dot products "
        f"{_said('dot')} and "
        f"sums {_said('reduce_sum')}; dot products of vectors of 64 "
        f"{_said('dot', width=64)}, of 32 {_said('dot', width=32)}.",
        "More seeds." if verdict == UNDECIDED else "",
    )


def simple_does_dot():
    values = [rows.best("dot", name)["multiply_simple"] for name in INPUTS]
    return Claim(
        "`multiply_simple` is at 100 % on every dot product.",
        SUPPORTED if min(values) >= LEARNED else REFUTED,
        f"At least {min(values):.4f} on {', '.join(INPUTS)}; trained "
        f"thoroughly, on random it learns them "
        f"{_said('dot', 'multiply_simple')}.",
        "",
    )


def too_many_parameters():
    learns = _learns("dot")
    return Claim(
        "The parameters of its two inner layers are why `multiply` fails on "
        "the dot product.",
        {True: REFUTED, False: UNDECIDED, None: UNDECIDED}[learns],
        "Without these layers it learns the dot product by the article's "
        "procedure; with all of them, and trained thoroughly on inputs "
        "`random`, it learns it "
        f"{_said('dot')}.",
        "" if learns else "Other numbers of hidden units, and more seeds.",
    )


def neither_sums():
    both = [
        rows.best("reduce_sum", name)[["multiply", "multiply_simple"]]
        for name in INPUTS
    ]
    simple = max(each["multiply_simple"] for each in both)
    learns = _learns("reduce_sum")
    fails = max(each.max() for each in both) < LEARNED
    return Claim(
        "Neither variant does well on the sum, and `multiply_simple` fails "
        "completely.",
        {True: REFUTED, False: SUPPORTED if fails else REFUTED}.get(
            learns, UNDECIDED
        ),
        f"By the article's procedure at most "
        f"{max(each['multiply'] for each in both):.3f} and {simple:.3f}. "
        f"Trained thoroughly on inputs `random`, `multiply` learns it "
        f"{_said('reduce_sum')}, "
        f"`multiply_simple` {_said('reduce_sum', 'multiply_simple')}: from the "
        "products alone the sum cannot be computed.",
        "More seeds." if learns is None else "",
    )
