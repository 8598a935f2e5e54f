"""Networks that are made of one layer, whichever it is."""

import ast
import inspect
import re

import keras
from keras import ops

from kmul import layers
from tuning.networks.network import Network
from tuning.networks.network import side_by_side

FILTERS, KERNEL_SIZE, READ_OUT_UNITS = 8, 3, 32


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


def network_of_layer(layer, arguments=""):
    """Returns the network of one layer, for vectors or for images.

    It is for images if the layer is made with `filters`.

    Args:
        layer: A Keras layer class.
        arguments: Text of arguments that it is made with beside those that the
            network sets, `"form=low_rank,rank=8"` for example.

    Raises:
        ValueError: The layer does not take the arguments.
    """
    takes_filters = "filters" in inspect.signature(layer).parameters
    base = LayerOnImages if takes_filters else LayerOnVectors
    network = type(
        layer.__name__,
        (base,),
        {
            "__doc__": layer.__doc__,
            "layer": layer,
            "kwargs": _parse(arguments),
        },
    )
    network.check()
    return network


def _parse(arguments):
    """Returns the arguments of `name=value, ...`; bare words are strings."""
    try:
        call = ast.parse(f"layer({arguments})", mode="eval").body
        if call.args or any(each.arg is None for each in call.keywords):
            raise ValueError("not all of them are named")
        return {
            each.arg: each.value.id
            if isinstance(each.value, ast.Name)
            else ast.literal_eval(each.value)
            for each in call.keywords
        }
    except (SyntaxError, ValueError, AttributeError) as error:
        raise ValueError(
            "Its arguments should be like 'form=low_rank,rank=8'. Received: "
            f"{arguments!r} ({error})"
        ) from error


class LayerNetwork(Network):
    """What the networks of one layer share.

    Attributes:
        layer: The layer class.
        kwargs: Dictionary of arguments that were asked for.
    """

    layer = None
    kwargs = None

    @classmethod
    def make(cls, **defaults):
        """Returns a layer, with those of the defaults that it takes."""
        accepted = inspect.signature(cls.layer).parameters
        known = {
            name: value for name, value in defaults.items() if name in accepted
        }
        return cls.layer(**{**known, **cls.kwargs})

    @classmethod
    def check(cls):
        """Raises a `ValueError` unless the layer can be made."""
        try:
            cls.make(units=1, filters=1, kernel_size=1)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{cls.layer.__name__}: {error}") from error


class LayerOnVectors(LayerNetwork):
    """One layer on both inputs.

    The layer is called on `[a, b]`, or, if it takes a single tensor, on both
    side by side. It has as many `units` as the label, or None if it does not
    take that. Where its output is not as wide as the label, a linear dense
    layer follows. At depth 2, each input first goes through a linear dense
    layer, twice as wide as the label.
    """

    depths = (1, 2)
    activations = ("linear",)

    def outputs(self, a, b, depth, activation):
        if depth == 2:
            first = keras.layers.Dense(2 * self.units)(a)
            b = first if a is b else keras.layers.Dense(2 * self.units)(b)
            a = first
        y = _first_that_works(
            self.layer.__name__,
            [
                lambda: self.make(units=self.units)([a, b]),
                lambda: self.make(units=self.units)(side_by_side(a, b)),
                lambda: self.make(units=None)([a, b]),
            ],
        )
        if y.shape[-1] != self.units:
            y = keras.layers.Dense(self.units)(y)
        return y


class LayerOnImages(LayerNetwork):
    """`depth` layers after each other on an image, and a classifier.

    Each has 8 filters, the first a stride of 2. A layer that takes images and
    masks is called with a mask of ones. What the last one gives goes through a
    dense layer of 32 units and a linear one with softmax.
    """

    depths = (2, 3, 4, 5, 6, 7, 8)
    activations = ("linear", "relu", "selu", "tanh")
    input_rank = 3

    def model(self, depth, activation):
        (image_shape,) = self.input_shapes
        image = x = keras.Input(image_shape, name="image")
        for index in range(depth):
            x = self._apply(x, 2 if index == 0 else 1, activation)
        x = keras.layers.Flatten()(x)
        x = keras.layers.Dense(READ_OUT_UNITS, activation=activation)(x)
        x = keras.layers.Dense(self.units, activation="softmax")(x)
        return keras.Model(image, x)

    def _apply(self, x, strides, activation):
        def layer():
            return self.make(
                filters=FILTERS,
                kernel_size=KERNEL_SIZE,
                strides=strides,
                padding="same",
                activation=activation,
            )

        return _first_that_works(
            self.layer.__name__,
            [
                lambda: layer()(x),
                lambda: layer()([x, ops.ones_like(x[..., :1])]),
            ],
        )


def _first_that_works(name, calls):
    """Returns the result of the first call that raises no error."""
    errors = []
    for call in calls:
        try:
            return call()
        except (TypeError, ValueError) as error:
            errors.append(" ".join(str(error).split()))
    raise ValueError(
        f"{name} cannot be called on these inputs: "
        f"{' | '.join(dict.fromkeys(errors))}"
    )
