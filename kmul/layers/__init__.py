"""Layers that multiply, and their relatives. Used like `keras.layers`."""

from kmul.layers.depth_weighted_average import (
    DepthWeightedAverage as DepthWeightedAverage,
)
from kmul.layers.layer_attention import LayerAttention as LayerAttention
from kmul.layers.multiply_unit import MultiplyUnit as MultiplyUnit
from kmul.layers.residual_dense import ResidualDense as ResidualDense
from kmul.layers.residual_mix import ResidualMix as ResidualMix
from kmul.layers.scalar_mix import ScalarMix as ScalarMix
