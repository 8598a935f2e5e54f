"""Checks of names and numbers. Each raises a `ValueError` that says what is
wrong, what was expected and what was received.
"""

import difflib
import numbers


def check_known(kind, name, known, more=""):
    """Returns `name` if it is one of `known`.

    Args:
        kind: The kind of thing it names, for the message.
        name: The name that was asked for.
        known: Collection of names.
        more: Other choices, for the end of the message.
    """
    if name not in known:
        known = [str(each) for each in known]
        raise ValueError(
            f"Unknown {kind} {name!r}.{did_you_mean(name, known)} Known: "
            f"{', '.join(known)}{more}."
        )
    return name


def did_you_mean(name, known):
    """Returns a sentence that names the nearest names, empty if none is."""
    nearest = difflib.get_close_matches(str(name), known)
    return f" Did you mean {' or '.join(nearest)}?" if nearest else ""


def check_integer(name, value, minimum):
    """Returns `value` if it is an integer of at least `minimum`."""
    if (
        isinstance(value, bool)
        or not isinstance(value, numbers.Integral)
        or value < minimum
    ):
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected an integer of at "
            f"least {minimum}. Received: {name}={value!r}"
        )
    return int(value)
