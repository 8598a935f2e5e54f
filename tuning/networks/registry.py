"""The networks that are searched over, by name."""

import functools
import inspect

import keras
import keras_tuner

from tasks._validation import check_known
from tuning.names import import_named
from tuning.networks.images import LayerAttendedCNN
from tuning.networks.images import PlainCNN
from tuning.networks.images import ResidualCNN
from tuning.networks.layers import LAYERS
from tuning.networks.layers import LayerNetwork
from tuning.networks.layers import network_of_layer
from tuning.networks.vectors import Dense
from tuning.networks.vectors import DenseResidual
from tuning.networks.vectors import Multiply
from tuning.networks.vectors import MultiplySimple

NETWORKS = {
    "dense": Dense,
    "dense_residual": DenseResidual,
    "multiply": Multiply,
    "multiply_simple": MultiplySimple,
    "cnn": PlainCNN,
    "cnn_residual": ResidualCNN,
    "cnn_attention": LayerAttendedCNN,
}


@functools.lru_cache(maxsize=256)
def find_network(name):
    """Returns the hypermodel class of a network.

    Args:
        name: A key of `NETWORKS`; the name of a layer of `kmul.layers`, a key
            of `LAYERS`; or `package.module:Name` for
            your own: a Keras layer class, as for `network_of_layer`, or
            a KerasTuner hypermodel that is made with a
            `tuning.problems.problem.Problem`. Layers take arguments after a
            further colon: `"film:residual=False"`.

    Raises:
        ValueError: There is no such network.
    """
    path, _, last = name.rpartition(":")
    plain, arguments = (path, last) if "=" in last else (name, "")
    found = _find(plain)
    if inspect.isclass(found) and issubclass(found, keras.layers.Layer):
        try:
            return network_of_layer(found, arguments)
        except ValueError as error:
            raise ValueError(f"The network {name!r}: {error}") from error
    if not (
        inspect.isclass(found) and issubclass(found, keras_tuner.HyperModel)
    ):
        raise ValueError(
            f"The network {name!r} should be a Keras layer class or a "
            f"KerasTuner HyperModel class. Received: {found!r}"
        )
    if arguments:
        raise ValueError(
            f"The network {plain!r} takes no arguments, which layers alone do. "
            f"Received: {arguments!r}"
        )
    return found


def check_layer(name, problem):
    """Raises a `ValueError` if a layer cannot be made for a problem.

    Args:
        name: As for `find_network`. If it names no layer, nothing is checked.
        problem: The `Problem`.
    """
    network = find_network(name)
    if issubclass(network, LayerNetwork):
        try:
            network.check_for(problem)
        except ValueError as error:
            raise ValueError(f"The network {name!r}: {error}") from error


def _find(name):
    if name in NETWORKS:
        return NETWORKS[name]
    if name in LAYERS:
        return LAYERS[name].layer
    if ":" in name:
        return import_named("network", name)
    return check_known(
        "network",
        name,
        [*NETWORKS, *LAYERS],
        ", or package.module:Name for one of your own",
    )
