"""Layers that multiply, and their relatives. Used like `keras.layers`."""

from kmul.layers.film import FiLM as FiLM
from kmul.layers.gated_dense import GatedDense as GatedDense
from kmul.layers.highway_dense import HighwayDense as HighwayDense
from kmul.layers.hyper_dense import HyperDense as HyperDense
from kmul.layers.multiplicative_interaction import (
    MultiplicativeInteraction as MultiplicativeInteraction,
)
from kmul.layers.multiply_unit import MultiplyUnit as MultiplyUnit
from kmul.layers.residual_dense import ResidualDense as ResidualDense
from kmul.layers.squeeze_excite import SqueezeExcite as SqueezeExcite
