"""The versions that a study's rows are made with."""

import functools
import importlib
import importlib.metadata
import importlib.util
import pathlib
import re

# Of what `versions` returns.
NAMES = ("kmul", "keras", "backend_version")


@functools.cache
def versions(backend):
    """Returns the versions of kmul, Keras and the backend, importing none.

    A backend is imported once it is known which.

    Args:
        backend: Name of the backend.
    """
    init = pathlib.Path(importlib.util.find_spec("kmul").origin)
    (kmul,) = re.findall(
        r'^__version__ = "(.+)"$', init.read_text(encoding="utf-8"), re.M
    )
    try:
        version = importlib.metadata.version(backend)
    except importlib.metadata.PackageNotFoundError:
        # It is installed under another name, as tensorflow-cpu is.
        version = importlib.import_module(backend).__version__
    # Without what the backend was built for.
    found = (kmul, importlib.metadata.version("keras"), version.split("+")[0])
    return dict(zip(NAMES, found, strict=True))
