"""Checks of arguments and shapes that every layer shares.

Each raises a `ValueError` that says what is wrong, what was expected and what
was received.
"""

import itertools
import numbers

import keras
import numpy as np


def check_positive_integer(name, value):
    """Returns `value` if it is an integer of at least 1."""
    if (
        isinstance(value, bool)
        or not isinstance(value, numbers.Integral)
        or value < 1
    ):
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a positive "
            f"integer. Received: {name}={value!r}"
        )
    return int(value)


def check_seed(value):
    """Returns `value` if it is an integer or `None`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ValueError(
            "Invalid value for argument `seed`. Expected None or an integer. "
            f"Received: seed={value!r}"
        )
    return int(value)


def check_number(name, value):
    """Returns `value` if it is a finite number."""
    if (
        isinstance(value, bool)
        or not isinstance(value, numbers.Real)
        or not abs(value) < float("inf")
    ):
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a finite number. "
            f"Received: {name}={value!r}"
        )
    return float(value)


def check_positive_number(name, value):
    """Returns `value` if it is a finite number above 0."""
    if (
        isinstance(value, bool)
        or not isinstance(value, numbers.Real)
        or not 0 < value < float("inf")
    ):
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a finite number "
            f"above 0. Received: {name}={value!r}"
        )
    return float(value)


def check_each_positive(name, value, count):
    """Returns `count` positive integers, given as one or as a list of them."""
    if not isinstance(value, (tuple, list)):
        return [check_positive_integer(name, value)] * count
    if len(value) != count:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a positive "
            f"integer or a list of {count} of them. Received: {name}={value!r}"
        )
    return [check_positive_integer(name, each) for each in value]


def check_fraction(name, value):
    """Returns `value` if it is a number in [0, 1]."""
    if (
        isinstance(value, bool)
        or not isinstance(value, numbers.Real)
        or not 0 <= value <= 1
    ):
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a number in "
            f"[0, 1]. Received: {name}={value!r}"
        )
    return float(value)


def check_rate(name, value):
    """Returns `value` if it is a number in [0, 1)."""
    if (
        isinstance(value, bool)
        or not isinstance(value, numbers.Real)
        or not 0 <= value < 1
    ):
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a number in "
            f"[0, 1). Received: {name}={value!r}"
        )
    return float(value)


def check_boolean(name, value):
    """Returns `value` if it is `True` or `False`."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected True or False. "
            f"Received: {name}={value!r}"
        )
    return bool(value)


def check_data_format(value):
    """Returns `value`, that of the Keras configuration if it is `None`."""
    if value is None:
        return keras.config.image_data_format()
    return check_choice(
        "data_format", value, ("channels_last", "channels_first")
    )


def check_choice(name, value, choices):
    """Returns `value` if it is one of `choices`."""
    if value not in choices:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected one of "
            f"{tuple(choices)}. Received: {name}={value!r}"
        )
    return value


def check_width(layer, units, width):
    """Checks that a layer which keeps its input's width is asked for that."""
    if units is not None and units != width:
        raise ValueError(
            f"`{layer}` keeps the width of its first input. Expected `units` "
            f"to be None or {width}. Received: units={units}"
        )


def check_shape(layer, shape):
    """Returns `shape` as a tuple if its rank is ≥ 2 and its last axis known."""
    if not isinstance(shape, (tuple, list)) or any(
        isinstance(size, (tuple, list)) for size in shape
    ):
        raise ValueError(
            f"`{layer}` should be called on a single tensor. "
            f"Received: input_shape={shape}"
        )
    shape = tuple(shape)
    if len(shape) < 2:
        raise ValueError(
            f"`{layer}` should be called on inputs of rank 2 or more, "
            f"(batch, ..., features). Received: input_shape={shape}"
        )
    if shape[-1] is None:
        raise ValueError(
            f"The last axis of the inputs of `{layer}` should be defined. "
            f"Received: input_shape={shape}"
        )
    return shape


def differ(sizes):
    """Whether two of the sizes of an axis are known not to be equal.

    A size that is no integer is unknown, or symbolic while a model is exported.
    """
    return len({size for size in sizes if isinstance(size, int)}) > 1


def check_sequences(layer, shape):
    """Returns `shape` as a tuple if it is (batch, length, features)."""
    shape = check_shape(layer, shape)
    if len(shape) != 3:
        raise ValueError(
            f"`{layer}` should be called on sequences, (batch, length, "
            f"features). Received: input_shape={shape}"
        )
    return shape


def check_shapes(layer, shapes, minimum=2, maximum=None, shared=False):
    """Returns the shapes of a layer called on several tensors.

    Each has rank ≥ 2 and a known last axis, and all axes before the last are
    equal wherever they are known.

    Args:
        layer: Name of the layer, for the message.
        shapes: The argument of the layer's `build`.
        minimum: Integer, the smallest number of tensors.
        maximum: Integer, the largest number of tensors, any if `None`.
        shared: Boolean, whether every tensor after the first may also be of
            shape `(batch, features)`, shared by the first one's other axes.
    """
    if (
        not isinstance(shapes, (tuple, list))
        or len(shapes) < minimum
        or (maximum is not None and len(shapes) > maximum)
        or not all(isinstance(shape, (tuple, list)) for shape in shapes)
    ):
        count = f"at least {minimum}" if maximum is None else f"{maximum}"
        raise ValueError(
            f"`{layer}` should be called on a list or tuple of {count} "
            f"tensors. Received: input_shape={shapes}"
        )
    shapes = [check_shape(layer, shape) for shape in shapes]
    leading = [shape[:-1] for shape in shapes]
    if shared:
        rank = len(leading[0])
        if any(len(each) not in (1, rank) for each in leading):
            raise ValueError(
                f"Every input of `{layer}` after the first should have the "
                "axes of the first before its last one, or be of rank 2. "
                f"Received: input_shape={shapes}"
            )
    if (not shared and len({len(shape) for shape in leading}) > 1) or any(
        differ(sizes) for sizes in itertools.zip_longest(*leading)
    ):
        raise ValueError(
            f"All inputs of `{layer}` should have the same axes before the "
            f"last one. Received: input_shape={shapes}"
        )
    return shapes


def check_same_shapes(layer, shapes):
    """Returns the shapes of a layer called on tensors of one shape."""
    shapes = check_shapes(layer, shapes)
    if differ(shape[-1] for shape in shapes):
        raise ValueError(
            f"All inputs of `{layer}` should have one shape. "
            f"Received: input_shape={shapes}"
        )
    return shapes
