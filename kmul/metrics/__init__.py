"""Metrics, used like `keras.metrics`."""

from kmul.metrics.sparsity_error import sparsity_error
from kmul.metrics.within_tolerance import WithinTolerance

__all__ = [
    "WithinTolerance",
    "sparsity_error",
]
