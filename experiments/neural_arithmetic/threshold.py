"""What the literature counts as success."""

import functools

import numpy as np

from tasks.arithmetic_ops import OPERATIONS
from tasks.arithmetic_ops import ArithmeticSettings

EPSILON = 1e-5


@functools.cache
def published_threshold(operation):
    """Returns the error that Madsen and Johansen count as success.

    That of weights of 1 − ε inside of each subset and ε outside of it, in
    both sums alike:

    ```
    a' = Σ_{i in A} (1 − ε) x_i + Σ_{i not in A} ε x_i
    ```
    """
    settings = ArithmeticSettings()
    x = settings.sample("extrapolation")
    exact = settings.sums(x)
    total = x.sum(axis=1, keepdims=True, dtype=np.float64)
    off = [(1 - EPSILON) * each + EPSILON * (total - each) for each in exact]
    label = OPERATIONS[operation].label
    return float(np.mean((label(*off) - label(*exact)) ** 2))
