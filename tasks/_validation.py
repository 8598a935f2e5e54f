"""Checks of names and numbers. Each raises a `ValueError` that says what is
wrong, what was expected and what was received.
"""

import difflib
import numbers


def check_known(kind, name, known):
    """Returns `name` if it is one of `known`."""
    if name not in known:
        nearest = difflib.get_close_matches(str(name), known)
        hint = f" Did you mean {' or '.join(nearest)}?" if nearest else ""
        raise ValueError(
            f"Unknown {kind} {name!r}.{hint} Known: {', '.join(known)}."
        )
    return name


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
