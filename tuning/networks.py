"""The networks that are searched over, by name."""

import difflib
import importlib
import inspect

import keras
import keras_tuner

from tuning.image_networks import LayerAttendedCNN
from tuning.image_networks import PlainCNN
from tuning.image_networks import ResidualCNN
from tuning.vector_networks import Dense
from tuning.vector_networks import DenseResidual
from tuning.vector_networks import Multiply
from tuning.vector_networks import MultiplySimple
from tuning.vector_networks import layer_names
from tuning.vector_networks import network_of_layer

NETWORKS = {
    "dense": Dense,
    "dense_residual": DenseResidual,
    "multiply": Multiply,
    "multiply_simple": MultiplySimple,
    "cnn": PlainCNN,
    "cnn_residual": ResidualCNN,
    "cnn_attention": LayerAttendedCNN,
}


def find_network(name):
    """Returns the hypermodel class of a network.

    Args:
        name: A key of `NETWORKS`; the name of a layer of `kmul.layers`, in
            small letters with underscores; or `package.module:Name` for
            anybody's own: a Keras layer class, as for `network_of_layer`, or
            a KerasTuner hypermodel that is made with a
            `tuning.problems.Problem`.

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
