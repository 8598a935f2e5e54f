"""Callbacks that watch training, used like `keras.callbacks`."""

from kmul.callbacks.attention_monitor import AttentionMonitor
from kmul.callbacks.gradient_monitor import GradientMonitor

__all__ = [
    "AttentionMonitor",
    "GradientMonitor",
]
