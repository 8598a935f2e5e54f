"""Networks that compute a label of two vectors, or of one."""

import keras

from kmul import layers
from tuning.networks.network import HIDDEN_UNITS
from tuning.networks.network import Network
from tuning.networks.network import side_by_side


class Dense(Network):
    """Dense layers on both inputs side by side."""

    layer = keras.layers.Dense

    def outputs(self, a, b, depth, activation):
        x = side_by_side(a, b)
        for _ in range(depth - 1):
            x = self.layer(HIDDEN_UNITS, activation=activation)(x)
        return self.layer(self.units, activation=activation)(x)


class DenseResidual(Dense):
    """The same with each layer's input added wherever the widths are equal."""

    depths = (2, 3)
    layer = layers.ResidualDense


class Multiply(Network):
    """Dense on each input, their product, dense."""

    depths = (1,)
    activations = ("linear",)
    hidden_units = HIDDEN_UNITS

    def outputs(self, a, b, depth, activation):
        return layers.MultiplyUnit(self.units, hidden_units=self.hidden_units)(
            [a, b]
        )


class MultiplySimple(Multiply):
    """The product of the inputs, dense."""

    hidden_units = None
