"""One example of every public layer, for the checks that all must pass."""

from kmul import layers
from kmul import regularizers

# name → (function of keyword arguments that makes the layer, input shapes).
# A list of shapes is a layer of several inputs.
EXAMPLES = {
    "MultiplyUnit": (
        lambda **kwargs: layers.MultiplyUnit(3, hidden_units=5, **kwargs),
        [(2, 4), (2, 6)],
    ),
    "MultiplyUnit, three inputs of rank 3": (
        lambda **kwargs: layers.MultiplyUnit(3, hidden_units=5, **kwargs),
        [(2, 7, 4), (2, 7, 6), (2, 7, 1)],
    ),
    "MultiplyUnit, not projected": (
        lambda **kwargs: layers.MultiplyUnit(3, hidden_units=None, **kwargs),
        [(2, 4), (2, 4)],
    ),
    "ResidualDense": (
        lambda **kwargs: layers.ResidualDense(4, activation="relu", **kwargs),
        (2, 4),
    ),
    "ResidualDense, other width": (
        lambda **kwargs: layers.ResidualDense(3, **kwargs),
        (2, 5, 4),
    ),
    "MultiplicativeInteraction": (
        lambda **kwargs: layers.MultiplicativeInteraction(3, **kwargs),
        [(2, 4), (2, 5)],
    ),
    "MultiplicativeInteraction, three inputs of rank 3": (
        lambda **kwargs: layers.MultiplicativeInteraction(
            3, activation="tanh", **kwargs
        ),
        [(2, 7, 4), (2, 7, 3), (2, 2)],
    ),
    "MultiplicativeInteraction, low rank": (
        lambda **kwargs: layers.MultiplicativeInteraction(
            3, form="low_rank", rank=2, **kwargs
        ),
        [(2, 4), (2, 5), (2, 1)],
    ),
    "MultiplicativeInteraction, all pairs": (
        lambda **kwargs: layers.MultiplicativeInteraction(
            3, interactions="pairs", **kwargs
        ),
        [(2, 3, 4), (2, 5), (2, 3, 2)],
    ),
    "MultiplicativeInteraction, diagonal": (
        lambda **kwargs: layers.MultiplicativeInteraction(
            form="diagonal", **kwargs
        ),
        [(2, 3, 4), (2, 5)],
    ),
    "MultiplicativeInteraction, scalar": (
        lambda **kwargs: layers.MultiplicativeInteraction(
            form="scalar", **kwargs
        ),
        [(2, 4), (2, 5), (2, 2)],
    ),
    "HyperDense": (
        lambda **kwargs: layers.HyperDense(3, **kwargs),
        [(2, 6, 4), (2, 5)],
    ),
    "FiLM": (
        lambda **kwargs: layers.FiLM(**kwargs),
        [(2, 3, 3, 4), (2, 5)],
    ),
    "FiLM, projected": (
        lambda **kwargs: layers.FiLM(3, residual=False, **kwargs),
        [(2, 4), (2, 5)],
    ),
    "GatedDense": (
        lambda **kwargs: layers.GatedDense(3, **kwargs),
        (2, 4),
    ),
    "GatedDense, of rank 4": (
        lambda **kwargs: layers.GatedDense(
            3, gate_activation="gelu", use_bias=False, **kwargs
        ),
        (2, 3, 2, 4),
    ),
    "HighwayDense": (
        lambda **kwargs: layers.HighwayDense(activation="tanh", **kwargs),
        (2, 4),
    ),
    "HighwayDense, other width": (
        lambda **kwargs: layers.HighwayDense(3, activation="tanh", **kwargs),
        (2, 5, 4),
    ),
    "SqueezeExcite": (
        lambda **kwargs: layers.SqueezeExcite(ratio=2, **kwargs),
        (2, 3, 3, 8),
    ),
    "SqueezeExcite, channels first": (
        lambda **kwargs: layers.SqueezeExcite(
            ratio=1, data_format="channels_first", **kwargs
        ),
        (2, 8, 3),
    ),
    "NAC": (lambda **kwargs: layers.NAC(3, **kwargs), (2, 4)),
    "MNAC": (lambda **kwargs: layers.MNAC(3, **kwargs), (2, 4)),
    "NALU": (lambda **kwargs: layers.NALU(3, **kwargs), (2, 4)),
    "INALU": (lambda **kwargs: layers.INALU(3, **kwargs), (2, 4)),
    "INALU, regularized": (
        lambda **kwargs: layers.INALU(
            3,
            tanh_kernel_regularizer=regularizers.Saturation(0.05),
            sigmoid_kernel_regularizer=regularizers.Saturation(0.05),
            gate_regularizer=regularizers.Saturation(0.05),
            regularizer_warmup=(0, 10),
            **kwargs,
        ),
        (2, 4),
    ),
    "NAU": (lambda **kwargs: layers.NAU(3, **kwargs), (2, 5, 4)),
    "NAU, regularized": (
        lambda **kwargs: layers.NAU(
            3,
            kernel_regularizer=regularizers.Discreteness(0.1),
            regularizer_warmup=(0, 10),
            **kwargs,
        ),
        (2, 4),
    ),
    "NMU": (lambda **kwargs: layers.NMU(3, **kwargs), (2, 4)),
    "NMU, of rank 4": (
        lambda **kwargs: layers.NMU(3, **kwargs),
        (2, 3, 2, 4),
    ),
    "NMU, normalized": (
        lambda **kwargs: layers.NMU(3, normalize=True, **kwargs),
        (2, 4),
    ),
    "NMU, with noise": (
        lambda **kwargs: layers.NMU(3, noise=(1, 5), seed=0, **kwargs),
        (2, 4),
    ),
    "RealNPU": (lambda **kwargs: layers.RealNPU(3, **kwargs), (2, 4)),
    "NPU, regularized": (
        lambda **kwargs: layers.NPU(
            3,
            kernel_regularizer="l1",
            gate_regularizer=regularizers.Discreteness(0.1, values=(0, 1)),
            **kwargs,
        ),
        (2, 4),
    ),
    "NPU": (lambda **kwargs: layers.NPU(3, **kwargs), (2, 5, 4)),
    "PolynomialDense": (
        lambda **kwargs: layers.PolynomialDense(3, hidden_units=5, **kwargs),
        (2, 4),
    ),
    "PolynomialDense, ncp of rank 4": (
        lambda **kwargs: layers.PolynomialDense(
            3, form="ncp", hidden_units=5, **kwargs
        ),
        (2, 3, 2, 4),
    ),
    "PolynomialDense, ncp_skip of degree 3": (
        lambda **kwargs: layers.PolynomialDense(
            3, degree=3, form="ncp_skip", hidden_units=5, **kwargs
        ),
        (2, 5, 4),
    ),
    "PolynomialBlock2D": (
        lambda **kwargs: layers.PolynomialBlock2D(
            3, normalization=False, **kwargs
        ),
        (2, 4, 4, 3),
    ),
    "PolynomialBlock2D, regularized": (
        lambda **kwargs: layers.PolynomialBlock2D(
            3,
            strides=2,
            form="regularized",
            activation="tanh",
            alpha_initializer="ones",
            **kwargs,
        ),
        (2, 4, 4, 2),
    ),
    # Attention over layers.
    **{
        f"LayerAttention, {mechanism}": (
            lambda mechanism=mechanism, **kwargs: layers.LayerAttention(
                3, mechanism, **kwargs
            ),
            [(2, 3, 4), (2, 12), (2, 2, 3, 2)],
        )
        for mechanism in ("concat", "static", "recurrent")
    },
    "LayerAttention, self": (
        lambda **kwargs: layers.LayerAttention(
            3,
            "self",
            transform_units=6,
            transform_activation="tanh",
            num_heads=2,
            key_dim=4,
            pooling="avg",
            activation="softplus",
            **kwargs,
        ),
        [(2, 3, 4), (2, 12), (2, 5, 3, 7)],
    ),
    "ResidualMix": (
        lambda **kwargs: layers.ResidualMix(0.3, **kwargs),
        [(2, 3, 4), (2, 3, 4)],
    ),
    "ResidualMix, per channel": (
        lambda **kwargs: layers.ResidualMix(0.3, per="channel", **kwargs),
        [(2, 4), (2, 4)],
    ),
    "ScalarMix": (
        lambda **kwargs: layers.ScalarMix(**kwargs),
        [(2, 3, 4), (2, 3, 4), (2, 3, 4)],
    ),
    "ScalarMix, normalized": (
        lambda **kwargs: layers.ScalarMix(normalize=True, **kwargs),
        [(2, 3, 4), (2, 3, 4)],
    ),
    "DepthWeightedAverage": (
        lambda **kwargs: layers.DepthWeightedAverage(**kwargs),
        [(2, 3, 4), (2, 3, 4), (2, 3, 4)],
    ),
    "MLBFusion": (
        lambda **kwargs: layers.MLBFusion(3, hidden_units=5, **kwargs),
        [(2, 4), (2, 5)],
    ),
    "MUTANFusion": (
        lambda **kwargs: layers.MUTANFusion(
            3, hidden_units=5, rank=2, **kwargs
        ),
        [(2, 3, 4), (2, 3, 5)],
    ),
    "MFBFusion": (
        lambda **kwargs: layers.MFBFusion(
            3, hidden_units=5, factor=2, **kwargs
        ),
        [(2, 4), (2, 5)],
    ),
    "MFHFusion": (
        lambda **kwargs: layers.MFHFusion(
            3, hidden_units=5, factor=2, **kwargs
        ),
        [(2, 4), (2, 5)],
    ),
    "TuckerFusion": (
        lambda **kwargs: layers.TuckerFusion(3, hidden_units=5, **kwargs),
        [(2, 4), (2, 5)],
    ),
    "BLOCKFusion": (
        lambda **kwargs: layers.BLOCKFusion(
            3, hidden_units=6, rank=2, chunks=2, **kwargs
        ),
        [(2, 4), (2, 5)],
    ),
    "BLOCKFusion, of rank 4": (
        lambda **kwargs: layers.BLOCKFusion(
            3, hidden_units=6, rank=2, chunks=2, use_bias=False, **kwargs
        ),
        [(2, 3, 2, 4), (2, 3, 2, 5)],
    ),
    "BLOCKFusion, a smaller last chunk": (
        lambda **kwargs: layers.BLOCKFusion(
            3, hidden_units=5, rank=2, chunks=2, shared=True, **kwargs
        ),
        [(2, 4), (2, 4)],
    ),
    "BLOCKTuckerFusion": (
        lambda **kwargs: layers.BLOCKTuckerFusion(
            3, hidden_units=6, chunks=2, activation="tanh", **kwargs
        ),
        [(2, 3, 4), (2, 3, 5)],
    ),
    "MCBFusion": (
        lambda **kwargs: layers.MCBFusion(
            3, hidden_units=4, normalize=False, seed=1, **kwargs
        ),
        [(2, 3, 4), (2, 3, 5)],
    ),
    "TensorFusion": (
        lambda **kwargs: layers.TensorFusion(3, **kwargs),
        [(2, 4), (2, 5)],
    ),
    "LowRankFusion": (
        lambda **kwargs: layers.LowRankFusion(3, rank=2, **kwargs),
        [(2, 4), (2, 5), (2, 2)],
    ),
    "MinimalGRU": (
        lambda **kwargs: layers.MinimalGRU(3, return_sequences=True, **kwargs),
        (2, 5, 4),
    ),
    "MultiplicativeLSTM": (
        lambda **kwargs: layers.MultiplicativeLSTM(3, **kwargs),
        (2, 3, 4),
    ),
    "MultiplicativeFilter, gabor": (
        lambda **kwargs: layers.MultiplicativeFilter(
            3, 5, num_filters=2, form="gabor", input_scale=4.0, **kwargs
        ),
        (2, 3, 2),
    ),
    "BinaryMaskedDense": (
        lambda **kwargs: layers.BinaryMaskedDense(3, **kwargs),
        (2, 4),
    ),
    "PartialConv2D": (
        lambda **kwargs: layers.PartialConv2D(3, 2, **kwargs),
        [(2, 4, 4, 2), (2, 4, 4, 1)],
    ),
    "PartialConv2D, without a mask": (
        lambda **kwargs: layers.PartialConv2D(3, 3, padding="same", **kwargs),
        (2, 4, 4, 2),
    ),
    "GatedConv2D": (
        lambda **kwargs: layers.GatedConv2D(3, 2, **kwargs),
        (2, 4, 4, 2),
    ),
    # Attention, gates and blocks of image networks.
    "StochasticDepth": (
        lambda **kwargs: layers.StochasticDepth(0.5, seed=0, **kwargs),
        (2, 3, 3, 4),
    ),
    "SpatialGate2D": (
        lambda **kwargs: layers.SpatialGate2D(**kwargs),
        (2, 3, 2, 4),
    ),
    "ChannelGate2D": (
        lambda **kwargs: layers.ChannelGate2D(**kwargs),
        (2, 3, 2, 4),
    ),
    "AdditiveTokenMixer2D": (
        lambda **kwargs: layers.AdditiveTokenMixer2D(**kwargs),
        (2, 3, 2, 2),
    ),
    "AdditiveBlock2D": (
        lambda **kwargs: layers.AdditiveBlock2D(2, **kwargs),
        (2, 3, 2, 2),
    ),
    "StripSelfAttention2D": (
        lambda **kwargs: layers.StripSelfAttention2D(key_dim=2, **kwargs),
        (2, 3, 2, 4),
    ),
    "HybridPerceptionBlock2D": (
        lambda **kwargs: layers.HybridPerceptionBlock2D(expansion=2, **kwargs),
        (2, 3, 2, 2),
    ),
    "StarBlock2D": (
        lambda **kwargs: layers.StarBlock2D(2, kernel_size=3, **kwargs),
        (2, 3, 3, 2),
    ),
    "SpatialGatingUnit": (
        lambda **kwargs: layers.SpatialGatingUnit(
            kernel_initializer="glorot_uniform", **kwargs
        ),
        (2, 5, 4),
    ),
    "LargeKernelAttention2D": (
        lambda **kwargs: layers.LargeKernelAttention2D(6, 2, **kwargs),
        (2, 4, 4, 2),
    ),
    "FocalModulation2D": (
        lambda **kwargs: layers.FocalModulation2D(1, **kwargs),
        (2, 3, 3, 2),
    ),
    "GatedRecursiveConv2D": (
        lambda **kwargs: layers.GatedRecursiveConv2D(
            2, kernel_size=3, **kwargs
        ),
        (2, 3, 3, 2),
    ),
    "MultiOrderGatedAggregation2D": (
        lambda **kwargs: layers.MultiOrderGatedAggregation2D(**kwargs),
        (2, 3, 3, 3),
    ),
}

# name → function of the units that makes the cell of a recurrent layer.
CELLS = {
    "MinimalGRUCell": layers.MinimalGRUCell,
    "MultiplicativeIntegrationCell": layers.MultiplicativeIntegrationCell,
    "MultiplicativeIntegrationCell, gru": lambda units, **kwargs: (
        layers.MultiplicativeIntegrationCell(units, cell="gru", **kwargs)
    ),
    "MultiplicativeIntegrationCell, simple": lambda units, **kwargs: (
        layers.MultiplicativeIntegrationCell(units, cell="simple", **kwargs)
    ),
    "MultiplicativeLSTMCell": layers.MultiplicativeLSTMCell,
    "RecurrentHighwayCell": lambda units, **kwargs: layers.RecurrentHighwayCell(
        units, num_layers=2, **kwargs
    ),
}
