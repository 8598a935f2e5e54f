"""Layers that multiply, and their relatives. Used like `keras.layers`.

Each folder is a family:

products      products of linear projections of the inputs
interaction   functions of an input and its contexts, linear in each
gating        features times gates
polynomials   polynomials of one input
fusion        bilinear models of two or more modalities
arithmetic    units whose weights spell out an arithmetic expression
masks         convolutions and dense layers times masks, given or learned
recurrent     cells and layers of sequences
depth         attention over the layers of a network, and weighted sums of them
vision        attention, gates and blocks of image networks
"""

from kmul.layers.arithmetic.inalu import INALU
from kmul.layers.arithmetic.mnac import MNAC
from kmul.layers.arithmetic.nac import NAC
from kmul.layers.arithmetic.nalu import NALU
from kmul.layers.arithmetic.nau import NAU
from kmul.layers.arithmetic.nmu import NMU
from kmul.layers.arithmetic.npu import NPU
from kmul.layers.arithmetic.real_npu import RealNPU
from kmul.layers.depth.depth_weighted_average import DepthWeightedAverage
from kmul.layers.depth.layer_attention import LayerAttention
from kmul.layers.depth.residual_mix import ResidualMix
from kmul.layers.depth.scalar_mix import ScalarMix
from kmul.layers.fusion.block_fusion import BLOCKFusion
from kmul.layers.fusion.block_tucker_fusion import BLOCKTuckerFusion
from kmul.layers.fusion.low_rank_fusion import LowRankFusion
from kmul.layers.fusion.mcb_fusion import MCBFusion
from kmul.layers.fusion.mfb_fusion import MFBFusion
from kmul.layers.fusion.mfh_fusion import MFHFusion
from kmul.layers.fusion.mlb_fusion import MLBFusion
from kmul.layers.fusion.mutan_fusion import MUTANFusion
from kmul.layers.fusion.tensor_fusion import TensorFusion
from kmul.layers.fusion.tucker_fusion import TuckerFusion
from kmul.layers.gating.film import FiLM
from kmul.layers.gating.gated_dense import GatedDense
from kmul.layers.gating.highway_dense import HighwayDense
from kmul.layers.gating.squeeze_excite import SqueezeExcite
from kmul.layers.interaction.hyper_dense import HyperDense
from kmul.layers.interaction.multiplicative_interaction import (
    MultiplicativeInteraction,
)
from kmul.layers.masks.binary_masked_dense import BinaryMaskedDense
from kmul.layers.masks.gated_conv_2d import GatedConv2D
from kmul.layers.masks.partial_conv_2d import PartialConv2D
from kmul.layers.polynomials.polynomial_block_2d import PolynomialBlock2D
from kmul.layers.polynomials.polynomial_dense import PolynomialDense
from kmul.layers.products.multiplicative_filter import MultiplicativeFilter
from kmul.layers.products.multiply_unit import MultiplyUnit
from kmul.layers.products.residual_dense import ResidualDense
from kmul.layers.recurrent.minimal_gru import MinimalGRU
from kmul.layers.recurrent.minimal_gru_cell import MinimalGRUCell
from kmul.layers.recurrent.multiplicative_integration_cell import (
    MultiplicativeIntegrationCell,
)
from kmul.layers.recurrent.multiplicative_lstm import MultiplicativeLSTM
from kmul.layers.recurrent.multiplicative_lstm_cell import (
    MultiplicativeLSTMCell,
)
from kmul.layers.recurrent.recurrent_highway_cell import RecurrentHighwayCell
from kmul.layers.vision.additive_block_2d import AdditiveBlock2D
from kmul.layers.vision.additive_token_mixer_2d import AdditiveTokenMixer2D
from kmul.layers.vision.channel_gate_2d import ChannelGate2D
from kmul.layers.vision.focal_modulation_2d import FocalModulation2D
from kmul.layers.vision.gated_recursive_conv_2d import GatedRecursiveConv2D
from kmul.layers.vision.hybrid_perception_block_2d import (
    HybridPerceptionBlock2D,
)
from kmul.layers.vision.large_kernel_attention_2d import LargeKernelAttention2D
from kmul.layers.vision.multi_order_gated_aggregation_2d import (
    MultiOrderGatedAggregation2D,
)
from kmul.layers.vision.spatial_gate_2d import SpatialGate2D
from kmul.layers.vision.spatial_gating_unit import SpatialGatingUnit
from kmul.layers.vision.star_block_2d import StarBlock2D
from kmul.layers.vision.stochastic_depth import StochasticDepth
from kmul.layers.vision.strip_self_attention_2d import StripSelfAttention2D

__all__ = [
    "INALU",
    "MNAC",
    "NAC",
    "NALU",
    "NAU",
    "NMU",
    "NPU",
    "AdditiveBlock2D",
    "AdditiveTokenMixer2D",
    "BLOCKFusion",
    "BLOCKTuckerFusion",
    "BinaryMaskedDense",
    "ChannelGate2D",
    "DepthWeightedAverage",
    "FiLM",
    "FocalModulation2D",
    "GatedConv2D",
    "GatedDense",
    "GatedRecursiveConv2D",
    "HighwayDense",
    "HybridPerceptionBlock2D",
    "HyperDense",
    "LargeKernelAttention2D",
    "LayerAttention",
    "LowRankFusion",
    "MCBFusion",
    "MFBFusion",
    "MFHFusion",
    "MLBFusion",
    "MUTANFusion",
    "MinimalGRU",
    "MinimalGRUCell",
    "MultiOrderGatedAggregation2D",
    "MultiplicativeFilter",
    "MultiplicativeIntegrationCell",
    "MultiplicativeInteraction",
    "MultiplicativeLSTM",
    "MultiplicativeLSTMCell",
    "MultiplyUnit",
    "PartialConv2D",
    "PolynomialBlock2D",
    "PolynomialDense",
    "RealNPU",
    "RecurrentHighwayCell",
    "ResidualDense",
    "ResidualMix",
    "ScalarMix",
    "SpatialGate2D",
    "SpatialGatingUnit",
    "SqueezeExcite",
    "StarBlock2D",
    "StochasticDepth",
    "StripSelfAttention2D",
    "TensorFusion",
    "TuckerFusion",
]


def __dir__():
    """Completion offers the layers, not the modules they are in."""
    return __all__
