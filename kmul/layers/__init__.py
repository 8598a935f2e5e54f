"""Layers that multiply, and their relatives. Used like `keras.layers`.

Each folder is a family:

products      products of linear projections of the inputs
interaction   functions of an input and its contexts, linear in each
gating        features times gates
polynomials   polynomials of one input
fusion        bilinear models of two or more modalities
arithmetic    units whose weights spell out an arithmetic expression
masks         convolutions times masks, given or learned
depth         attention over the layers of a network, and weighted sums of them
"""

from kmul.layers.arithmetic.inalu import INALU as INALU
from kmul.layers.arithmetic.mnac import MNAC as MNAC
from kmul.layers.arithmetic.nac import NAC as NAC
from kmul.layers.arithmetic.nalu import NALU as NALU
from kmul.layers.arithmetic.nau import NAU as NAU
from kmul.layers.arithmetic.nmu import NMU as NMU
from kmul.layers.arithmetic.npu import NPU as NPU
from kmul.layers.arithmetic.real_npu import RealNPU as RealNPU
from kmul.layers.depth.depth_weighted_average import (
    DepthWeightedAverage as DepthWeightedAverage,
)
from kmul.layers.depth.layer_attention import LayerAttention as LayerAttention
from kmul.layers.depth.residual_mix import ResidualMix as ResidualMix
from kmul.layers.depth.scalar_mix import ScalarMix as ScalarMix
from kmul.layers.fusion.block_fusion import BLOCKFusion as BLOCKFusion
from kmul.layers.fusion.block_tucker_fusion import (
    BLOCKTuckerFusion as BLOCKTuckerFusion,
)
from kmul.layers.fusion.low_rank_fusion import LowRankFusion as LowRankFusion
from kmul.layers.fusion.mcb_fusion import MCBFusion as MCBFusion
from kmul.layers.fusion.mfb_fusion import MFBFusion as MFBFusion
from kmul.layers.fusion.mfh_fusion import MFHFusion as MFHFusion
from kmul.layers.fusion.mlb_fusion import MLBFusion as MLBFusion
from kmul.layers.fusion.mutan_fusion import MUTANFusion as MUTANFusion
from kmul.layers.fusion.tensor_fusion import TensorFusion as TensorFusion
from kmul.layers.fusion.tucker_fusion import TuckerFusion as TuckerFusion
from kmul.layers.gating.film import FiLM as FiLM
from kmul.layers.gating.gated_dense import GatedDense as GatedDense
from kmul.layers.gating.highway_dense import HighwayDense as HighwayDense
from kmul.layers.gating.squeeze_excite import SqueezeExcite as SqueezeExcite
from kmul.layers.interaction.hyper_dense import HyperDense as HyperDense
from kmul.layers.interaction.multiplicative_interaction import (
    MultiplicativeInteraction as MultiplicativeInteraction,
)
from kmul.layers.masks.gated_conv_2d import GatedConv2D as GatedConv2D
from kmul.layers.masks.partial_conv_2d import PartialConv2D as PartialConv2D
from kmul.layers.polynomials.polynomial_block_2d import (
    PolynomialBlock2D as PolynomialBlock2D,
)
from kmul.layers.polynomials.polynomial_dense import (
    PolynomialDense as PolynomialDense,
)
from kmul.layers.products.multiply_unit import MultiplyUnit as MultiplyUnit
from kmul.layers.products.residual_dense import ResidualDense as ResidualDense
