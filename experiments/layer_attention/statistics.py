"""Means over seeds, with 95 % intervals."""

import dataclasses

import numpy as np

from tuning.reporting.statistics import half_interval


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean and half its 95 % interval, NaN for a single value."""

    mean: float
    margin: float

    @property
    def low(self):
        return self.mean - self.margin

    @property
    def high(self):
        return self.mean + self.margin

    def __str__(self):
        return f"{self.mean:.3f} ± {self.margin:.3f}"

    def signed(self):
        return f"{self.mean:+.3f} ± {self.margin:.3f}"


def estimate(values):
    return Estimate(float(np.mean(values)), half_interval(values))


def difference(first, second):
    """Returns the `Estimate` of the differences of values paired by seed."""
    return estimate(np.subtract(first, second))
