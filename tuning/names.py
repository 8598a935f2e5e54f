"""Objects that the command line names by `package.module:Name`."""

import importlib
import traceback

from tuning.messages import summarize


def import_named(kind, name):
    """Returns the object of a name like `package.module:Name`.

    Args:
        kind: The kind of thing expected, for the message.
        name: The name.

    Raises:
        ValueError: There is no such module, or no such object in it, or the
            module raised an error: the message says which, and where.
    """
    module, _, attribute = name.partition(":")
    try:
        found = importlib.import_module(module)
    except KeyboardInterrupt:
        raise
    # A module may raise anything, and call `sys.exit`.
    except BaseException as error:
        is_missing = isinstance(error, ModuleNotFoundError)
        # One that is there and needs another has a fault of its own.
        if is_missing and f"{module}.".startswith(f"{error.name}."):
            reason = str(error)
        elif not module or module.startswith("."):
            reason = "it names no module"
        else:
            reason = summarize(traceback.format_exc())
        raise ValueError(f"Cannot import {kind} {name!r}: {reason}") from error
    if not hasattr(found, attribute):
        raise ValueError(
            f"Cannot import {kind} {name!r}: module {module!r} has no "
            f"attribute {attribute!r}"
        )
    return getattr(found, attribute)
