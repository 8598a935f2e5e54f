"""Multiplication as a building block for neural networks, in Keras 3."""

from kmul import callbacks as callbacks
from kmul import constraints as constraints
from kmul import layers as layers
from kmul import metrics as metrics
from kmul import models as models
from kmul import regularizers as regularizers

__version__ = "0.1.0"
