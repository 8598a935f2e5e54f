"""The networks that are compared, each of a given number of parameters."""

import dataclasses

import keras

from kmul import layers
from kmul import models

MECHANISMS = ("concat", "static", "self", "recurrent")
TRANSFORMED_UNITS = 32


@dataclasses.dataclass(frozen=True)
class Network:
    """A kind of network.

    Args:
        name: Its name in tables and figures.
        make: Called as `make(size, **options)` with one number of units, gives
            a model. The number is chosen to meet the budget.
        mechanism: Mechanism of layer attention, or `None`.
    """

    name: str
    make: callable
    mechanism: str | None = None


def _plain(size, **options):
    return models.CNN(hidden_units=size, **options)


def _residual(size, **options):
    return models.ResidualCNN(hidden_units=size, **options)


def _summed(size, depth, **options):
    """Reads out the element-wise sum of all layers, by ELMo's weights."""
    plain = models.CNN(depth=depth, hidden_units=size, **options)
    outputs = [
        plain.get_layer(f"convolution_{index + 1}").output
        for index in range(depth)
    ]
    x = layers.ScalarMix(name="scalar_mix")(outputs)
    for name in ("flatten", "hidden", "classifier"):
        x = plain.get_layer(name)(x)
    return keras.Model(plain.input, x)


def _attended(mechanism):
    def make(size, **options):
        return models.LayerAttendedCNN(
            mechanism=mechanism, hidden_units=size, key_dim=8, **options
        )

    return make


def _transformed(mechanism):
    def make(size, **options):
        return models.LayerAttendedCNN(
            mechanism=mechanism,
            transform_units=size,
            hidden_units=TRANSFORMED_UNITS,
            key_dim=8,
            **options,
        )

    return make


NETWORKS = {
    network.name: network
    for network in (
        Network("plain", _plain),
        Network("residual", _residual),
        Network("sum", _summed),
        *(Network(each, _attended(each), each) for each in MECHANISMS),
        *(
            Network(f"{each} + transform", _transformed(each), each)
            for each in MECHANISMS
        ),
    )
}


def build(network, budget, **options):
    """Returns the largest model of at most `budget` parameters, and its units.

    The convolutions are the same for all networks of a depth; the number of
    units of the read-out, or of the transform where there is one, differs.

    Args:
        network: A `Network`.
        budget: Positive integer.
        **options: `image_shape`, `classes`, `depth`, `filters`, `strides`.
    """

    one, two, three = (
        network.make(size, **options).count_params() for size in (1, 2, 3)
    )
    if one > budget:
        raise ValueError(
            f"No network {network.name!r} of depth {options['depth']} has as "
            f"few as {budget:,} parameters"
        )

    def parameters(size):
        # A polynomial of second order, which three of its values determine.
        first, second = two - one, three - 2 * two + one
        return one + (size - 1) * first + (size - 1) * (size - 2) // 2 * second

    size = 1
    while parameters(size + 1) <= budget:
        size += 1
    return network.make(size, **options), size
