"""Weight constraints, used like `keras.constraints`."""

from kmul.constraints.interval import Interval

__all__ = [
    "Interval",
]
