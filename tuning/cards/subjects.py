"""Which layers a card is about."""

import dataclasses
import functools
import importlib
import inspect
import pathlib
import pickle
import re
import sys
import sysconfig
import traceback

import keras
import numpy as np

import kmul
from tasks._validation import did_you_mean
from tuning.errors import UserError
from tuning.networks.layers import LAYERS
from tuning.networks.layers import CalledOn
from tuning.networks.layers import network_of_layer


class LayerError(UserError, ValueError):
    """A layer that no card can be made of.

    Its message is a line. Lines of a traceback through the layer's own code
    may follow.
    """


@dataclasses.dataclass(frozen=True)
class Subject:
    """A layer that a card is about, and how it is made.

    Attributes:
        name: Its name on the card.
        layer: A Keras layer class, or a callable that returns a layer.
        arguments: Text of the arguments that it is made with, beside its
            size: `"form=low_rank,rank=8"`.
    """

    name: str
    layer: object
    arguments: str = ""

    @property
    def network(self):
        """The class of networks that are made of it."""
        return _network_on_what_it_takes(self.layer, self.arguments)

    @property
    def kind(self):
        """Its kind of inputs: `"vectors"` or `"images"`."""
        network = _network(self.layer, self.arguments)
        return "images" if network.input_rank == 3 else "vectors"

    @property
    def text(self):
        """The text that `subject_of_text` makes it of, or None without one.

        Other processes need it: a class that was defined in a notebook exists
        in that process only.
        """
        module = getattr(self.layer, "__module__", None)
        path = f"{module}:{getattr(self.layer, '__qualname__', '<')}"
        if module in (None, "__main__") or "<" in path:
            return None
        try:
            pickle.dumps(self.layer)
        except (pickle.PicklingError, AttributeError, TypeError):
            return None
        return f"{path} {self.arguments}".strip()


@functools.lru_cache(maxsize=256)
def _network(layer, arguments):
    return network_of_layer(layer, arguments)


@functools.lru_cache(maxsize=256)
def _network_on_what_it_takes(layer, arguments):
    """Returns the network of a layer, called on what it turns out to take.

    That is a pair of vectors, if the layer returns one output for it, or else
    both side by side. A layer that says what it takes is not tried.
    """
    network = _network(layer, arguments)
    says_it = hasattr(layer, "called_on") or any(
        entry.layer is layer for entry in LAYERS.values()
    )
    if says_it or network.input_rank == 3:
        return network
    a, b = np.ones((2, 4), "float32"), np.zeros((2, 4), "float32")
    try:
        output = network.make(units=3)([a, b])
        takes_pairs = len(output.shape) == 2 and output.shape[0] == 2
    except Exception:
        # Whatever it was, the network shows it if a single vector also fails.
        takes_pairs = False
    called_on = CalledOn.PAIR if takes_pairs else CalledOn.VECTOR
    return type(network.__name__, (network,), {"called_on": called_on})


def subject_of(layer):
    """Returns the subject of a user's argument.

    Args:
        layer: Text as for `subject_of_text`, a Keras layer class, a layer, or
            a function that returns one; it is called with `units`, if it takes
            that, or with `filters`.

    Raises:
        LayerError: It is nothing of these.
    """
    if isinstance(layer, Subject):
        return layer
    if isinstance(layer, str):
        return subject_of_text(layer)
    if isinstance(layer, keras.layers.Layer):
        return _checked(Subject(type(layer).__name__, _copies_of(layer)))
    _check(layer, repr(layer))
    return _checked(Subject(getattr(layer, "__name__", "layer"), layer))


def _copies_of(layer):
    """Returns a function that makes new layers like one."""
    config = {
        name: value
        for name, value in layer.get_config().items()
        if name != "name"
    }

    def copy():
        return type(layer).from_config(config)

    copy.__name__ = type(layer).__name__
    return copy


def _checked(subject):
    """Returns a subject, if it takes its arguments."""
    try:
        _ = subject.kind
    except ValueError as error:
        raise LayerError(f"{subject.name} cannot be made: {error}") from error
    return subject


def subject_of_text(text):
    """Returns the subject of `"package.module:Layer name=value,..."`.

    Raises:
        LayerError: There is no such layer.
    """
    path, _, arguments = text.partition(" ")
    layer = _find(path)
    _check(layer, path)
    name = getattr(layer, "__name__", path)
    shown = f"{name}({arguments.replace(',', ', ')})" if arguments else name
    return _checked(Subject(shown, layer, arguments))


def _check(layer, path):
    is_class = inspect.isclass(layer)
    if not callable(layer) or (
        is_class and not issubclass(layer, keras.layers.Layer)
    ):
        what = f"the class {layer.__qualname__}" if is_class else repr(layer)
        raise LayerError(
            f"{path} should be a Keras layer class, or a function that returns "
            f"a layer. Received: {what}"
        )


def _find(path):
    if path in LAYERS:
        return LAYERS[path].layer
    module, colon, name = path.partition(":")
    if not colon:
        raise LayerError(
            f"Expected package.module:Layer, or the name of a layer of kmul. "
            f"Received: {path!r}.{did_you_mean(path, LAYERS)}"
        )
    try:
        found = importlib.import_module(module)
    except Exception as error:
        raise LayerError(
            _with_lines(f"Cannot import {module!r}", error)
        ) from error
    for part in name.split("."):
        if not hasattr(found, part):
            hint = did_you_mean(part, vars(found))
            raise LayerError(f"{module} has no {name!r}.{hint}")
        found = getattr(found, part)
    return found


def describe(error):
    """Returns an error in a line, and where in the user's code it arose."""
    return _with_lines("", error)


def _with_lines(start, error):
    # Keras prints what was raised in bold, between two sentences of its own.
    message = re.sub(r"\x1b\[\d+m", "", str(error))
    message = " ".join(message.partition("Arguments received by")[0].split())
    # Keras's own words come first.
    message = re.sub(
        r"^Exception encountered when calling .*?\)\. ", "", message
    )
    message = message.rpartition("Error encountered: ")[2]
    line = f"{type(error).__name__}: {message}"
    lines = [f"{start}: {line}" if start else line]
    for frame in traceback.extract_tb(error.__traceback__):
        if is_theirs(frame.filename):
            lines.append(
                f'  File "{frame.filename}", line {frame.lineno}, in '
                f"{frame.name}\n    {frame.line}"
            )
    return "\n".join(lines)


def is_theirs(filename):
    """Whether a file is the user's: no library's, and not of this project."""
    if filename.startswith("<"):
        return False
    path = pathlib.Path(filename).resolve()
    here = pathlib.Path(__file__).resolve().parents[1]
    places = [
        here,
        pathlib.Path(kmul.__file__).resolve().parent / "_validation.py",
        *map(pathlib.Path, sysconfig.get_paths().values()),
        pathlib.Path(keras.__file__).resolve().parents[1],
        pathlib.Path(sys.base_prefix, "lib", f"python3.{sys.version_info[1]}"),
    ]
    return not any(path.is_relative_to(place) for place in places)
