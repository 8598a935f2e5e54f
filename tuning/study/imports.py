"""The imports of a search, and those it leaves out.

Half of the seconds that Keras takes to be imported go into packages that it
and KerasTuner look for, and no job uses.
"""

import contextlib
import importlib.abc
import importlib.machinery
import json
import os
import pathlib
import sys

BACKENDS = ("jax", "tensorflow", "torch")
# Keras draws with the first, takes data frames of the second, and wraps models
# for the third, as KerasTuner does.
_UNUSED = ("matplotlib", "pandas", "sklearn")


def backend_name():
    """Returns the name of the backend that Keras uses, or will use."""
    return os.environ.get("KERAS_BACKEND") or _configured_backend()


def _configured_backend():
    home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
    try:
        text = pathlib.Path(home, "keras.json").read_text(encoding="utf-8")
        return json.loads(text).get("backend", "tensorflow")
    except (AttributeError, OSError, ValueError):
        return "tensorflow"


def import_keras():
    """Imports Keras and KerasTuner without packages that no job uses.

    These can still be imported afterwards.
    """
    others = [name for name in BACKENDS if name != backend_name()]
    with _hidden(*_UNUSED, *others):
        import keras  # noqa: F401
        import keras_tuner  # noqa: F401


def hide_tensorflow():
    """Keeps TensorFlow from being imported where it is not the backend.

    Keras looks for it whenever it serialises a model, and imports it if it is
    installed, which takes seconds and half a gigabyte.
    """
    if backend_name() != "tensorflow":
        sys.meta_path.insert(0, _Hidden("tensorflow"))


@contextlib.contextmanager
def _hidden(*names):
    finder = _Hidden(*names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Hidden(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes importing some packages fail, and nothing else.

    `None` in `sys.modules` would do that too, but TFDS takes it for TensorFlow
    itself.
    """

    def __init__(self, *names):
        self._names = names

    def find_spec(self, fullname, path, target=None):
        if fullname in self._names:
            return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec):
        raise ModuleNotFoundError(f"{spec.name} is hidden", name=spec.name)

    def exec_module(self, module):
        """Never called: there is no module."""
