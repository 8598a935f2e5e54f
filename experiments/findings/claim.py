"""A claim, its verdict, and how the verdict follows from an estimate."""

import dataclasses
import enum

import numpy as np
from scipy import stats

from tuning.reporting.statistics import half_interval

LEARNED = 0.99


class Verdict(enum.StrEnum):
    """The verdict on a claim."""

    SUPPORTED = enum.auto()
    REFUTED = enum.auto()
    UNDECIDED = enum.auto()


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim of a source, judged.

    Attributes:
        text: The claim, in our words.
        verdict: A `Verdict`.
        evidence: The figures that it rests on, a sentence or two.
        missing: What would settle it, or what would refute the verdict.
    """

    text: str
    verdict: Verdict
    evidence: str
    missing: str = ""


@dataclasses.dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self):
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"

    @property
    def sign(self):
        """1 or −1 where the interval lies on one side of 0, else 0."""
        return int(self.low > 0) - int(self.high < 0)


def mean(values):
    """Returns the mean of values, with Student's interval."""
    value, half = float(np.mean(values)), half_interval(values)
    return Interval(value, value - half, value + half)


def share(count, total):
    """Says how many of a total, with Wilson's interval."""
    found = stats.binomtest(count, total).proportion_ci(method="wilson")
    return f"{count} of {total} [{found.low:.0%}, {found.high:.0%}]"


def by_sign(interval):
    """The verdict of a claim that a difference is positive.

    Args:
        interval: An `Interval`, or another estimate with a `sign`.
    """
    return {
        1: Verdict.SUPPORTED,
        0: Verdict.UNDECIDED,
        -1: Verdict.REFUTED,
    }[interval.sign]
