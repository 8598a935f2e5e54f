"""Means over seeds, with 95 % intervals."""

import dataclasses

import numpy as np
from scipy import stats


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean and half the width of its 95 % interval (Student's t)."""

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
    values = np.asarray(values, dtype="float64")
    if len(values) < 2:
        return Estimate(float(values.mean()), float("inf"))
    margin = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return Estimate(float(values.mean()), float(margin))


def difference(first, second):
    """Of values paired by seed."""
    return estimate(np.subtract(first, second))
