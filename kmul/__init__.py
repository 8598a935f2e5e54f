"""Multiplication as a building block for neural networks, in Keras 3."""

from kmul import layers as layers
from kmul import metrics as metrics

__version__ = "0.1.0"
