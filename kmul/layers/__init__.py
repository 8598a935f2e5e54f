"""Layers that multiply, and their relatives. Used like `keras.layers`."""

from kmul.layers.depth_weighted_average import (
    DepthWeightedAverage as DepthWeightedAverage,
)
from kmul.layers.film import FiLM as FiLM
from kmul.layers.fusion import BLOCKFusion as BLOCKFusion
from kmul.layers.fusion import LowRankFusion as LowRankFusion
from kmul.layers.fusion import MFBFusion as MFBFusion
from kmul.layers.fusion import MFHFusion as MFHFusion
from kmul.layers.fusion import MLBFusion as MLBFusion
from kmul.layers.fusion import MUTANFusion as MUTANFusion
from kmul.layers.fusion import TensorFusion as TensorFusion
from kmul.layers.fusion import TuckerFusion as TuckerFusion
from kmul.layers.gated_conv_2d import GatedConv2D as GatedConv2D
from kmul.layers.gated_dense import GatedDense as GatedDense
from kmul.layers.highway_dense import HighwayDense as HighwayDense
from kmul.layers.hyper_dense import HyperDense as HyperDense
from kmul.layers.layer_attention import LayerAttention as LayerAttention
from kmul.layers.multiplicative_interaction import (
    MultiplicativeInteraction as MultiplicativeInteraction,
)
from kmul.layers.multiply_unit import MultiplyUnit as MultiplyUnit
from kmul.layers.neural_arithmetic import INALU as INALU
from kmul.layers.neural_arithmetic import NAC as NAC
from kmul.layers.neural_arithmetic import NALU as NALU
from kmul.layers.neural_arithmetic import NAU as NAU
from kmul.layers.neural_arithmetic import NMU as NMU
from kmul.layers.neural_arithmetic import NPU as NPU
from kmul.layers.neural_arithmetic import RealNPU as RealNPU
from kmul.layers.partial_conv_2d import PartialConv2D as PartialConv2D
from kmul.layers.polynomial_block_2d import (
    PolynomialBlock2D as PolynomialBlock2D,
)
from kmul.layers.polynomial_dense import PolynomialDense as PolynomialDense
from kmul.layers.residual_dense import ResidualDense as ResidualDense
from kmul.layers.residual_mix import ResidualMix as ResidualMix
from kmul.layers.scalar_mix import ScalarMix as ScalarMix
from kmul.layers.squeeze_excite import SqueezeExcite as SqueezeExcite
