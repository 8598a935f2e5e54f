"""Layers that multiply, and their relatives. Used like `keras.layers`."""

from kmul.layers.multiply_unit import MultiplyUnit as MultiplyUnit
from kmul.layers.residual_dense import ResidualDense as ResidualDense
