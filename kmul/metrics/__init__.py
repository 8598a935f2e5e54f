"""Metrics, used like `keras.metrics`."""

from kmul.metrics.sparsity_error import sparsity_error as sparsity_error
from kmul.metrics.within_tolerance import WithinTolerance as WithinTolerance
