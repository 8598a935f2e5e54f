"""Multiplication as a building block for neural networks, in Keras 3.

Every layer is here, as `kmul.MultiplyUnit`, and in `kmul.layers`.
"""

from kmul import callbacks
from kmul import constraints
from kmul import layers
from kmul import metrics
from kmul import models
from kmul import regularizers
from kmul.layers import INALU
from kmul.layers import MNAC
from kmul.layers import NAC
from kmul.layers import NALU
from kmul.layers import NAU
from kmul.layers import NMU
from kmul.layers import NPU
from kmul.layers import AdditiveBlock2D
from kmul.layers import AdditiveTokenMixer2D
from kmul.layers import BinaryMaskedDense
from kmul.layers import BLOCKFusion
from kmul.layers import BLOCKTuckerFusion
from kmul.layers import ChannelGate2D
from kmul.layers import DepthWeightedAverage
from kmul.layers import FiLM
from kmul.layers import FocalModulation2D
from kmul.layers import GatedConv2D
from kmul.layers import GatedDense
from kmul.layers import GatedRecursiveConv2D
from kmul.layers import HighwayDense
from kmul.layers import HybridPerceptionBlock2D
from kmul.layers import HyperDense
from kmul.layers import LargeKernelAttention2D
from kmul.layers import LayerAttention
from kmul.layers import LowRankFusion
from kmul.layers import MCBFusion
from kmul.layers import MFBFusion
from kmul.layers import MFHFusion
from kmul.layers import MinimalGRU
from kmul.layers import MinimalGRUCell
from kmul.layers import MLBFusion
from kmul.layers import MultiOrderGatedAggregation2D
from kmul.layers import MultiplicativeFilter
from kmul.layers import MultiplicativeIntegrationCell
from kmul.layers import MultiplicativeInteraction
from kmul.layers import MultiplicativeLSTM
from kmul.layers import MultiplicativeLSTMCell
from kmul.layers import MultiplyUnit
from kmul.layers import MUTANFusion
from kmul.layers import PartialConv2D
from kmul.layers import PolynomialBlock2D
from kmul.layers import PolynomialDense
from kmul.layers import RealNPU
from kmul.layers import RecurrentHighwayCell
from kmul.layers import ResidualDense
from kmul.layers import ResidualMix
from kmul.layers import ScalarMix
from kmul.layers import SpatialGate2D
from kmul.layers import SpatialGatingUnit
from kmul.layers import SqueezeExcite
from kmul.layers import StarBlock2D
from kmul.layers import StochasticDepth
from kmul.layers import StripSelfAttention2D
from kmul.layers import TensorFusion
from kmul.layers import TuckerFusion

__version__ = "0.2.0"

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
    "callbacks",
    "constraints",
    "layers",
    "metrics",
    "models",
    "regularizers",
]
