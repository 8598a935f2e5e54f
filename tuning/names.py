"""Objects that the command line names by `package.module:Name`."""

import importlib


def import_named(kind, name):
    """Returns the object of a name like `package.module:Name`.

    Args:
        kind: The kind of thing expected, for the message.
        name: The name.

    Raises:
        ValueError: There is no such module, or no such object in it. An error
            within the module is raised as it is.
    """
    module, _, attribute = name.partition(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A module that is there and needs another one has a bug of its own.
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise ValueError(f"Cannot import {kind} {name!r}: {error}") from error
    except (TypeError, ValueError) as error:
        # The name is relative, or empty.
        if module and not module.startswith("."):
            raise
        raise ValueError(f"Cannot import {kind} {name!r}: {error}") from error
    if not hasattr(found, attribute):
        raise ValueError(
            f"Cannot import {kind} {name!r}: module {module!r} has no "
            f"attribute {attribute!r}"
        )
    return getattr(found, attribute)
