"""Metrics, used like `keras.metrics`."""

from kmul.metrics.within_tolerance import WithinTolerance as WithinTolerance
