"""The article's claims on XOR of bits."""

import itertools

import numpy as np

from experiments.findings import rows
from experiments.findings.claim import LEARNED
from experiments.findings.claim import Claim
from experiments.findings.claim import Verdict
from experiments.findings.claim import mean
from experiments.findings.claim import share

SUPPORTED, REFUTED, UNDECIDED = Verdict
XOR = "logical_xor", "many_hot"
CLAIMED = ("multiply", "dense", "dense_residual", "multiply_simple")
# A network with fewer decides nothing.
SEEDS = 5


def thorough():
    """Returns the rows of XOR by the protocol `thorough`."""
    found = rows.thorough()
    return found[(found.task == XOR[0]) & (found.inputs == XOR[1])]


def accuracies(network):
    """Returns one for each seed, in order."""
    found = thorough()
    found = found[found.network == network].sort_values("seed")
    return found.accuracy.to_numpy()


def best_networks():
    """Returns the best network of each family, by mean accuracy.

    Only its networks with the most seeds count.
    """
    found = thorough().groupby(["family", "network"]).accuracy
    found = found.agg(["size", "mean"]).reset_index()
    found = found.sort_values(["size", "mean"])
    return (
        found.drop_duplicates("family", keep="last")
        .set_index("family")
        .network.to_dict()
    )


def untried():
    """Returns the networks with too few seeds for a verdict on families."""
    networks = rows.grid().network.unique()
    return [each for each in networks if len(accuracies(each)) < SEEDS]


def delta(first, second):
    """Returns Cliff's δ: how much more often the first are the greater."""
    return float(np.sign(np.subtract.outer(first, second)).mean())


def _said(network):
    """Says how accurate a network is, and from how many seeds it learns."""
    found = accuracies(network)
    learned = int((found >= LEARNED).sum())
    return (
        f"`{network}` {_plain(mean(found))}, learned from "
        f"{share(learned, len(found))} seeds"
    )


def _plain(interval):
    if np.isnan(interval.low):
        return f"{interval.value:.3f}"
    low, high = (np.clip(x, 0, 1) for x in (interval.low, interval.high))
    return f"{interval.value:.3f} [{low:.3f}, {high:.3f}]"


def steps(network):
    found = thorough()
    return int(found[found.network == network].steps.median())


def beside_rivals():
    """Returns what thorough training adds to the claim on out-performing."""
    best = best_networks()
    rival = max(
        (best[each] for each in best if each.startswith("dense")),
        key=lambda name: accuracies(name).mean(),
    )
    mine = best["multiply"]
    need = (
        " XOR does not need it:"
        if accuracies(rival).mean() >= LEARNED
        else " On XOR,"
    )
    return (
        f".{need} trained thoroughly, the best rival is {_said(rival)}, "
        f"after {steps(rival):,} steps (median); {_said(mine)}, after "
        f"{steps(mine):,}."
    )


def is_hardest():
    logic = _logic()
    easier = np.minimum(logic.logical_and, logic.logical_or)
    count = int((logic.logical_xor < easier).sum())
    return Claim(
        "XOR is the hardest logical task for all networks.",
        SUPPORTED if count == len(logic) else REFUTED,
        f"On bits, XOR is below both AND and OR for "
        f"{share(count, len(logic))} networks: for most, not for all.",
    )


def _logic():
    found = rows.grid()
    found = found[found.inputs == XOR[1]]
    return found.pivot_table(index="network", columns="task", values="accuracy")


def order():
    article = rows.best(*XOR).sort_values(ascending=False)
    values = ", ".join(f"`{name}` {x:.3f}" for name, x in article.items())
    best = best_networks()
    known = [best[each] for each in CLAIMED]
    means = {name: accuracies(name).mean() for name in known}
    said = "; ".join(map(_said, sorted(known, key=means.get, reverse=True)))
    text = f"By the article's procedure: {values}. Trained thoroughly: {said}."
    verdict = UNDECIDED
    first, second = (
        accuracies(best[each]) for each in ("dense", "dense_residual")
    )
    if len(first) == len(second):
        text += (
            f" Dense − residual: {mean(first - second)}, Cliff's δ "
            f"{delta(first, second):+.2f}."
        )
    if min(map(len, map(accuracies, known))) >= SEEDS:
        signs = [
            mean(accuracies(one) - accuracies(other)).sign
            for one, other in itertools.pairwise(known)
        ]
        # As sure as the least sure of its steps, once all networks are known.
        if not untried():
            verdict = {1: SUPPORTED, 0: UNDECIDED, -1: REFUTED}[min(signs)]
    return Claim(
        "On XOR the order is multiply, dense, residual, multiply_simple.",
        verdict,
        text,
        f"Five seeds of every network: {len(untried())} have fewer, most of "
        "them plain dense ones."
        if verdict == UNDECIDED
        else "",
    )
