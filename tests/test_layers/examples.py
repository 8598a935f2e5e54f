"""One example of every public layer, for the checks that all must pass."""

from kmul import layers

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
    "DepthWeightedAverage": (
        lambda **kwargs: layers.DepthWeightedAverage(**kwargs),
        [(2, 3, 4), (2, 3, 4), (2, 3, 4)],
    ),
}
