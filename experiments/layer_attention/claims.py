"""The proposal's claims, each tested on the runs.

The rule was fixed before the first run: a claim is seen where the 95 % interval
over seeds of the difference in question lies on the claimed side.
"""

import dataclasses

import numpy as np

from experiments.layer_attention.networks import NETWORKS
from experiments.layer_attention.statistics import Estimate
from experiments.layer_attention.statistics import difference
from experiments.layer_attention.statistics import estimate

# The share of training that counts as its start.
EARLY = 0.1


@dataclasses.dataclass
class Finding:
    """The results of one network, or at one depth.

    Args:
        subject: The network or the depth.
        estimates: One `Estimate` for each column of the table.
        seen: Whether they are as claimed.
    """

    subject: str
    estimates: list[Estimate]
    seen: bool


@dataclasses.dataclass
class Part:
    """One comparison that a claim predicts, for some networks or depths.

    Args:
        name: The prediction.
        columns: Names of the columns of estimates.
        findings: List of `Finding`.
    """

    name: str
    columns: list[str]
    findings: list[Finding]

    @property
    def seen(self):
        return sum(finding.seen for finding in self.findings)


@dataclasses.dataclass
class Answer:
    """A claim, its test, the findings, and a caution about them."""

    claim: str
    test: str
    parts: list[Part]
    caution: str = ""

    @property
    def verdict(self):
        if all(part.seen == len(part.findings) for part in self.parts):
            return "seen"
        return "partly" if any(p.seen for p in self.parts) else "not seen"


class Runs:
    """The runs, by network and depth, seeds in order."""

    def __init__(self, runs):
        self._runs = {}
        for run in sorted(runs, key=lambda run: run.seed):
            self._runs.setdefault((run.network, run.depth), []).append(run)
        self.depths = sorted({depth for _, depth in self._runs})
        found = {network for network, _ in self._runs}
        self.networks = [name for name in NETWORKS if name in found]
        self.attended = [n for n in self.networks if NETWORKS[n].mechanism]

    def of(self, network, depth):
        return self._runs[network, depth]

    def values(self, network, depth, name):
        """One number or array per seed."""
        return np.array([getattr(r, name) for r in self.of(network, depth)])


def answers(runs):
    return [
        deeper_is_worse(runs),
        attention_climbs(runs),
        gradients_reach_early_layers(runs),
        concatenation_beats_sum(runs),
        corruption_does_not_ruin(runs),
    ]


def deeper_is_worse(runs):
    shallow, deep = runs.depths[0], runs.depths[-1]
    name = "position_accuracy"
    plain = runs.values("plain", deep, name)
    drop = difference(plain, runs.values("plain", shallow, name))
    gains = []
    for network in runs.attended:
        gain = difference(runs.values(network, deep, name), plain)
        gains.append(Finding(network, [gain], gain.low > 0))
    return Answer(
        "Deeper plain networks get worse where position matters, and layer "
        "attention prevents it.",
        "The accuracy of the position on test images: of the plain network at "
        f"{deep} against {shallow} convolutions, and of attended networks "
        f"against the plain one at {deep}.",
        [
            Part(
                f"The plain network is worse at {deep} convolutions than at "
                f"{shallow}",
                [f"depth {deep} − depth {shallow}"],
                [Finding("plain", [drop], drop.high < 0)],
            ),
            Part(
                f"Attended networks are better than the plain one at {deep} "
                "convolutions",
                ["attended − plain"],
                gains,
            ),
        ],
    )


def explicit(network):
    """Whether the network has weights of attention."""
    return NETWORKS[network].mechanism in ("static", "self")


def centres(runs, network, quantity):
    """The mean layer, from 1 for the lowest, by weight: (seeds, steps)."""
    deep = runs.depths[-1]
    return runs.values(network, deep, quantity) @ np.arange(1, deep + 1)


def attention_climbs(runs):
    parts = []
    for quantity, name in (
        ("attention", "The weights of attention move down, then up"),
        ("contribution", "The contributions to the output move down, then up"),
    ):
        findings = []
        for network in runs.attended:
            if quantity == "attention" and not explicit(network):
                continue
            centre = centres(runs, network, quantity)
            early = early_index(runs, network)
            fall = difference(centre[:, early], centre[:, 0])
            rise = difference(centre[:, -1], centre[:, early])
            findings.append(
                Finding(network, [fall, rise], fall.high < 0 < rise.low)
            )
        parts.append(
            Part(name, ["first move, layers", "later move, layers"], findings)
        )
    return Answer(
        "Attention starts by moving to the lowest layer and then climbs.",
        "The mean layer, each weighted by its share of the attention, at the "
        f"greatest depth. It falls in the first {EARLY:.0%} of training, "
        "and rises from there to the end. The share is the weight of "
        'attention, which "static" and "self" have, or the contribution, '
        "which all have: how much the output changes without the layer.",
        parts,
        "A weight alone says little, because the read-out that follows can "
        "undo it: compare the highest weights with the contributions of the "
        "same layers, in the table of static weights below.",
    )


def early_gradient(runs, network):
    """Log10 of each convolution's gradient, mean of early training.

    Of shape (seeds, convolutions); NaN where it was zero throughout.
    """
    gradient = runs.values(network, runs.depths[-1], "gradient")
    return mean_log(gradient[:, : early_index(runs, network) + 1], axis=1)


def mean_log(values, axis):
    """Returns the mean of log10 of the nonzero values; NaN if there is none."""
    logs = np.log10(values, where=values > 0, out=np.full(values.shape, np.nan))
    known = np.isfinite(logs)
    count = known.sum(axis)
    total = np.where(known, logs, 0).sum(axis)
    return np.divide(
        total, count, where=count > 0, out=np.full(count.shape, np.nan)
    )


def _known(first, second):
    """Returns the `Estimate` of the differences of seeds that have both."""
    known = [each for each in first - second if np.isfinite(each)]
    return estimate(known) if known else Estimate(np.nan, np.nan)


def gradients_reach_early_layers(runs):
    plain = early_gradient(runs, "plain")
    ratios, firsts = [], []
    for network in runs.attended:
        found = early_gradient(runs, network)
        gain = _known(found[:, 0] - found[:, -1], plain[:, 0] - plain[:, -1])
        ratios.append(Finding(network, [gain], gain.low > 0))
        gain = _known(found[:, 0], plain[:, 0])
        firsts.append(Finding(network, [gain], gain.low > 0))
    return Answer(
        "Gradients reach the early layers less diluted.",
        "The gradient norm of the first convolution, relative to the last's "
        "and by itself, at the greatest depth, as log10 (1 is a factor of "
        f"ten), mean over the first {EARLY:.0%} of training.",
        [
            Part(
                "The first convolution's gradient relative to the last's is "
                "greater than in the plain network",
                ["attended − plain, log10"],
                ratios,
            ),
            Part(
                "The first convolution's gradient itself is greater than in "
                "the plain network",
                ["attended − plain, log10"],
                firsts,
            ),
        ],
        _dead_layers(runs),
    )


def _dead_layers(runs):
    """Names the networks whose last layer had no gradient at times."""
    zeros = {
        network: np.mean(
            runs.values(network, runs.depths[-1], "gradient")[..., -1] == 0
        )
        for network in runs.networks
    }
    found = [f"{name} {share:.0%}" for name, share in zeros.items() if share]
    if not found:
        return ""
    return (
        "In some measurements all units of the last convolution were off and "
        f"its gradient was exactly zero: {', '.join(found)}. Such a gradient "
        "is left out of the means."
    )


def concatenation_beats_sum(runs):
    parts = []
    for other, name in (
        ("sum", "Concatenation is better than the weighted sum of all layers"),
        ("residual", "Concatenation is better than the β-ResNet"),
    ):
        findings = []
        for depth in runs.depths:
            gain = difference(
                runs.values("concat", depth, "accuracy"),
                runs.values(other, depth, "accuracy"),
            )
            findings.append(Finding(f"depth {depth}", [gain], gain.low > 0))
        parts.append(Part(name, [f"concat − {other}"], findings))
    return Answer(
        "Concatenate-and-contract beats the element-wise sum.",
        "The share of test images where digit and position are both right. "
        "Concatenation of all layers is better than their weighted sum at "
        "the same number of parameters, and better than the β-ResNet.",
        parts,
    )


def corruption_does_not_ruin(runs):
    deep = runs.depths[-1]

    def kept(network):
        accuracy = np.maximum(runs.values(network, deep, "accuracy"), 1e-9)
        corrupted = runs.values(network, deep, "corrupted")
        recovered = runs.values(network, deep, "recovered")
        after = {
            "any one convolution corrupted (mean)": corrupted.mean(1),
            "the last convolution corrupted": corrupted[:, -1],
            "the last convolution corrupted, after further training": recovered,
        }
        return {name: value / accuracy for name, value in after.items()}

    plain = kept("plain")
    attended = {network: kept(network) for network in runs.attended}
    parts = []
    for name in plain:
        findings = []
        for network in runs.attended:
            share = estimate(attended[network][name])
            gain = difference(attended[network][name], plain[name])
            seen = share.low > 0.5 and gain.low > 0
            findings.append(Finding(network, [share, gain], seen))
        columns = ["share kept", "share kept, attended − plain"]
        parts.append(Part(f"Most is kept with {name}", columns, findings))
    return Answer(
        "A corrupted layer (its weights set to noise) does not ruin the "
        "network.",
        "The share of the accuracy that is kept, at the greatest depth, when "
        "a convolution's weights are set to noise of their own size. Attended "
        "networks keep more than half, and more than the plain one.",
        parts,
        "All networks lose most of their accuracy with a low layer, because "
        "all other layers build on it. A network whose upper layers are dead "
        "loses nothing with these. A share above 1 after further training "
        "means that training had not converged.",
    )


def early_index(runs, network):
    """Returns the index of the measurement that ends early training."""
    steps = np.array(runs.of(network, runs.depths[-1])[0].steps)
    return max(1, int(np.searchsorted(steps, EARLY * steps[-1])))
