"""The networks that are searched over, as KerasTuner hypermodels."""

import difflib
import importlib
import inspect
import random
import re

import keras
import keras_tuner

from kmul import layers
from kmul.metrics import WithinTolerance
from tuning.protocol import LEARNING_RATES

ACTIVATIONS = ("linear", "relu", "selu", "sigmoid", "tanh")
# The width of everything between inputs and output.
HIDDEN_UNITS = 256


class Network(keras_tuner.HyperModel):
    """A network that computes a label of two vectors.

    Its hyperparameters are `depth`, `activation`, `learning_rate` and `seed`.
    Subclasses say what they compute in `outputs`.

    Args:
        width: Positive integer, the width of each of the two inputs.
        units: Positive integer, the width of the output.
        tolerance: Positive number, what the accuracy tolerates.

    Attributes:
        depths: Tuple of the depths that it has.
        activations: Tuple of the activations that it can use.
    """

    depths = (1, 2, 3)
    activations = ACTIVATIONS

    def __init__(self, width, units, tolerance=0.5 / 10**0.5):
        super().__init__(name=type(self).__name__.lower())
        self.width = width
        self.units = units
        self.tolerance = tolerance

    def build(self, hp):
        depth = hp.Choice("depth", list(self.depths))
        activation = hp.Choice("activation", list(self.activations))
        learning_rate = hp.Choice("learning_rate", list(LEARNING_RATES))
        # Keras draws the seeds of its initializers from Python's generator.
        # `keras.utils.set_random_seed` seeds that one too, but imports
        # TensorFlow for it wherever that is installed, which takes seconds.
        random.seed(hp.Fixed("seed", 0))
        a = keras.Input((self.width,), name="a")
        b = keras.Input((self.width,), name="b")
        model = keras.Model([a, b], self.outputs(a, b, depth, activation))
        model.compile(
            keras.optimizers.Adam(learning_rate),
            loss="mse",
            metrics=[WithinTolerance(self.tolerance, name="accuracy")],
        )
        return model

    def outputs(self, a, b, depth, activation):
        """Returns the output, of `units`, for two symbolic inputs."""
        raise NotImplementedError(
            f"{type(self).__name__} should define `outputs`."
        )


class Dense(Network):
    """Dense layers on both inputs side by side."""

    layer = keras.layers.Dense

    def outputs(self, a, b, depth, activation):
        x = keras.layers.Concatenate()([a, b])
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


NETWORKS = {
    "dense": Dense,
    "dense_residual": DenseResidual,
    "multiply": Multiply,
    "multiply_simple": MultiplySimple,
}


def find_network(name):
    """Returns the hypermodel class of a network.

    Args:
        name: A key of `NETWORKS`; the name of a layer of `kmul.layers`, in
            small letters with underscores; or `package.module:Name` for
            anybody's own: a Keras layer class, as for `network_of_layer`, or
            a KerasTuner hypermodel that is made with `width`, `units` and
            `tolerance`.

    Raises:
        ValueError: There is no such network.
    """
    if name in NETWORKS:
        return NETWORKS[name]
    if name in layer_names():
        return network_of_layer(layer_names()[name])
    if ":" not in name:
        known = [*NETWORKS, *layer_names()]
        near = difflib.get_close_matches(name, known)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(
            f"Unknown network: {name!r}.{hint} Known: {', '.join(known)}, "
            "or package.module:Name for one of your own."
        )
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"Cannot import network {name!r}: {error}") from error
    if inspect.isclass(found) and issubclass(found, keras_tuner.HyperModel):
        return found
    if inspect.isclass(found) and issubclass(found, keras.layers.Layer):
        return network_of_layer(found)
    raise ValueError(
        f"The network {name!r} should be a Keras layer class or a KerasTuner "
        f"HyperModel class. Received: {found!r}"
    )


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
    layer follows.

    Args:
        layer: A Keras layer class, made with `units` if it has that argument.
    """

    def outputs(self, a, b, depth, activation):
        arguments = inspect.signature(layer).parameters
        kwargs = {"units": self.units} if "units" in arguments else {}
        try:
            y = layer(**kwargs)([a, b])
        except (TypeError, ValueError) as error:
            try:
                y = layer(**kwargs)(keras.layers.Concatenate()([a, b]))
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
            "depths": (1,),
            "activations": ("linear",),
            "outputs": outputs,
        },
    )
