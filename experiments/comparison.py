"""Networks compared with one of them, seed by seed."""

import dataclasses

import numpy as np

from tuning.reporting.statistics import half_interval


@dataclasses.dataclass(frozen=True)
class Difference:
    """A mean difference and half its interval, corrected for comparisons."""

    mean: float
    margin: float

    @property
    def sign(self):
        """1 or −1 where the interval lies on one side of 0, else 0."""
        if not abs(self.mean) > self.margin:
            return 0
        return 1 if self.mean > 0 else -1

    def __str__(self):
        return f"{self.mean:+.3f} ± {self.margin:.3f}"


def differences(values, reference, comparisons=None):
    """Compares each network with a reference.

    Each difference is a mean over seeds, which both networks share. Its
    interval is Student's, at 95 % for all of them together by Bonferroni's
    correction.

    Args:
        values: Dictionary of networks, each with a number per seed, in order.
        reference: One of them.
        comparisons: How many intervals are to hold together. Default: those
            that are returned.

    Returns:
        Dictionary of the other networks, each with a `Difference`.
    """
    others = [name for name in values if name != reference]
    found = {}
    for name in others:
        paired = np.subtract(values[name], values[reference])
        margin = half_interval(paired, comparisons=comparisons or len(others))
        found[name] = Difference(float(paired.mean()), margin)
    return found


def estimate(values):
    """Says the mean of values and half its 95 % interval."""
    return f"{np.mean(values):.3f} ± {half_interval(values):.3f}"


def sentence(found, reference, words=("above", "below")):
    """Says which networks differ from the reference.

    Args:
        found: What `differences` returns.
        reference: Name of the reference.
        words: What a positive and a negative difference are called.
    """
    parts = []
    for sign, word in zip((1, -1), words, strict=True):
        names = [
            f"{name} ({each})"
            for name, each in sorted(
                found.items(), key=lambda item: -sign * item[1].mean
            )
            if each.sign == sign
        ]
        if names:
            parts.append(f"{word} {reference}: {', '.join(names)}")
    same = [
        f"{name} ({each})" for name, each in found.items() if each.sign == 0
    ]
    if same:
        parts.append(f"no difference from {reference} seen: {', '.join(same)}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."
