"""The arithmetic operations on the sums of two subsets."""

import dataclasses
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Operation:
    """An operation on two numbers.

    Attributes:
        name: The operation's name.
        label: Callable from the two sums, arrays of one shape, to the label.
        equation: The label, in words.
        positive: Whether it is computed of positive numbers only.

    Example:

    >>> OPERATIONS["mul"].label(2.0, 3.0)
    6.0
    """

    name: str
    label: Callable
    equation: str
    positive: bool = False


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("add", lambda a, b: a + b, "first sum + second sum"),
        Operation("sub", lambda a, b: a - b, "first sum − second sum"),
        Operation("mul", lambda a, b: a * b, "first sum × second sum"),
        Operation("div", lambda a, b: a / b, "first sum ÷ second sum", True),
        Operation("square", lambda a, b: a * a, "square of the first sum"),
        Operation(
            "root",
            lambda a, b: np.sqrt(a),
            "square root of the first sum",
            True,
        ),
    )
}
