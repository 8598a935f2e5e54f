"""Networks that compute a label of two vectors, or of one."""

import inspect
import re

import keras

from kmul import layers
from tuning.network import HIDDEN_UNITS
from tuning.network import Network
from tuning.network import side_by_side


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


def layer_names():
    """Returns the layers of `kmul.layers` by their names as networks."""
    return {
        _snake_case(each): each
        for each in vars(layers).values()
        if isinstance(each, type) and issubclass(each, keras.layers.Layer)
    }


def _snake_case(layer):
    # A layer's file is named after it, where it has one of its own.
    name, file = layer.__name__, layer.__module__.rpartition(".")[-1]
    if file.replace("_", "") == name.lower():
        return file
    return re.sub("(?<=[a-zA-Z])(?=[A-Z][a-z])", "_", name).lower()


def network_of_layer(layer):
    """Returns the network that is one layer on both inputs.

    The layer is called on `[a, b]`, or, if it takes a single tensor, on both
    side by side. Where its output is not as wide as the label, a linear dense
    layer follows. At depth 2, each input first goes through a linear dense
    layer, twice as wide as the label.

    Args:
        layer: A Keras layer class, made with `units` if it has that argument.
    """

    def outputs(self, a, b, depth, activation):
        arguments = inspect.signature(layer).parameters
        kwargs = {"units": self.units} if "units" in arguments else {}
        if depth == 2:
            first = keras.layers.Dense(2 * self.units)(a)
            b = first if a is b else keras.layers.Dense(2 * self.units)(b)
            a = first
        try:
            y = layer(**kwargs)([a, b])
        except (TypeError, ValueError) as error:
            try:
                y = layer(**kwargs)(side_by_side(a, b))
            except (TypeError, ValueError) as other:
                raise ValueError(
                    f"{layer.__name__} takes neither both inputs ({error}) nor "
                    f"one ({other})."
                ) from other
        if y.shape[-1] != self.units:
            y = keras.layers.Dense(self.units)(y)
        return y

    return type(
        layer.__name__,
        (Network,),
        {
            "__doc__": layer.__doc__,
            "depths": (1, 2),
            "activations": ("linear",),
            "outputs": outputs,
        },
    )
