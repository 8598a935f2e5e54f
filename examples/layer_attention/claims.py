"""The proposal's claims, each answered from the runs.

What would count as seen was fixed before anything was trained: the 95 %
interval over seeds of the difference in question lies on the claimed side.
"""

import dataclasses

import numpy as np

from examples.layer_attention.networks import NETWORKS
from examples.layer_attention.statistics import Estimate
from examples.layer_attention.statistics import difference
from examples.layer_attention.statistics import estimate

# The share of training that counts as its start.
EARLY = 0.1


@dataclasses.dataclass
class Finding:
    """One comparison: what was compared, the estimate, and if it was seen."""

    subject: str
    estimate: Estimate
    seen: bool


@dataclasses.dataclass
class Answer:
    """A claim, how it was tested, and what was found."""

    claim: str
    test: str
    findings: list[Finding]

    @property
    def verdict(self):
        seen = [finding.seen for finding in self.findings]
        if all(seen):
            return "seen"
        return (
            f"partly: {sum(seen)} of {len(seen)}" if any(seen) else "not seen"
        )


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
    findings = [
        Finding(f"plain, depth {deep} − depth {shallow}", drop, drop.high < 0)
    ]
    for network in runs.attended:
        gain = difference(runs.values(network, deep, name), plain)
        findings.append(
            Finding(f"{network} − plain, depth {deep}", gain, gain.low > 0)
        )
    return Answer(
        "Deeper plain networks get worse where position matters, and layer "
        "attention prevents it.",
        "Accuracy of the position on test images. The plain network loses "
        "from the least to the greatest depth; at the greatest, attended "
        "networks are better than it.",
        findings,
    )


def centres(runs, network, quantity):
    """Where the mean layer is, from 0 for the lowest to 1: (seeds, steps)."""
    deep = runs.depths[-1]
    values = runs.values(network, deep, quantity)
    return values @ np.linspace(0, 1, deep)


def attention_climbs(runs):
    findings = []
    for network in runs.attended:
        explicit = NETWORKS[network].mechanism in ("static", "self")
        quantity = "attention" if explicit else "contribution"
        centre = centres(runs, network, quantity)
        early = early_index(runs, network)
        fall = difference(centre[:, early], centre[:, 0])
        rise = difference(centre[:, -1], centre[:, early])
        findings += [
            Finding(f"{network}: first move", fall, fall.high < 0),
            Finding(f"{network}: later move", rise, rise.low > 0),
        ]
    return Answer(
        "Attention starts by moving to the lowest layer and then climbs.",
        "The mean layer, from 0 for the lowest to 1 for the highest, weighted "
        'by the attention ("static", "self") or else by the contribution, at '
        f"the greatest depth. It falls in the first {EARLY:.0%} of training, "
        "and rises from there to the end.",
        findings,
    )


def dilution(runs, network):
    """Log10 of first over last convolution's gradient, early in training."""
    gradient = runs.values(network, runs.depths[-1], "gradient")
    early = gradient[:, : early_index(runs, network) + 1]
    return np.log10((early[..., 0] + 1e-12) / (early[..., -1] + 1e-12)).mean(1)


def gradients_reach_early_layers(runs):
    plain = dilution(runs, "plain")
    findings = []
    for network in runs.attended:
        gain = difference(dilution(runs, network), plain)
        findings.append(Finding(f"{network} − plain", gain, gain.low > 0))
    return Answer(
        "Gradients reach the early layers less diluted.",
        "Log10 of the gradient norm of the first convolution over that of the "
        f"last, at the greatest depth, mean over the first {EARLY:.0%} of "
        "training. It is greater in attended networks than in the plain one.",
        findings,
    )


def concatenation_beats_sum(runs):
    findings = []
    for depth in runs.depths:
        concat = runs.values("concat", depth, "accuracy")
        for other in ("sum", "residual"):
            gain = difference(concat, runs.values(other, depth, "accuracy"))
            findings.append(
                Finding(f"concat − {other}, depth {depth}", gain, gain.low > 0)
            )
    return Answer(
        "Concatenate-and-contract beats the element-wise sum.",
        "Accuracy of digit and position together on test images. "
        "Concatenation of all layers is better than their weighted sum "
        "(of one parameter budget), and than the β-ResNet.",
        findings,
    )


def kept(runs, network):
    """Share of accuracy kept with one layer corrupted, mean over layers."""
    deep = runs.depths[-1]
    corrupted = runs.values(network, deep, "corrupted").mean(1)
    return corrupted / np.maximum(runs.values(network, deep, "accuracy"), 1e-9)


def corruption_does_not_ruin(runs):
    plain = kept(runs, "plain")
    findings = []
    for network in runs.attended:
        share = estimate(kept(runs, network))
        findings.append(
            Finding(f"{network}: share kept", share, share.low > 0.5)
        )
        gain = difference(kept(runs, network), plain)
        findings.append(Finding(f"{network} − plain", gain, gain.low > 0))
    return Answer(
        "A corrupted layer (its weights set to noise) does not ruin the "
        "network.",
        "Share of the accuracy kept at the greatest depth when one "
        "convolution's weights are noise of their own size, mean over the "
        "convolutions. Attended networks keep more than half, and more than "
        "the plain one.",
        findings,
    )


def early_index(runs, network):
    """Index of the measure at the end of the start of training."""
    steps = np.array(runs.of(network, runs.depths[-1])[0].steps)
    return max(1, int(np.searchsorted(steps, EARLY * steps[-1])))
