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
}
