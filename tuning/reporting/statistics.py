"""Confidence intervals."""

import numpy as np
import scipy.special


def half_interval(values, comparisons=1):
    """Returns half the 95 % confidence interval of the mean, by Student's t.

    Missing values are left out; of fewer than two, the interval is NaN.

    Args:
        values: Array of numbers.
        comparisons: How many intervals are to hold all together, which widens
            each of them (Bonferroni's correction).
    """
    values = np.asarray(values, "float64")
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return float("nan")
    quantile = scipy.special.stdtrit(len(values) - 1, 1 - 0.025 / comparisons)
    return float(quantile * values.std(ddof=1) / len(values) ** 0.5)
