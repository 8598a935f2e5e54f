"""Weights under PyTorch's names: what each becomes here, and assigning them."""

from collections.abc import Mapping

import numpy as np

# How each kind of weight is transposed.
CONVOLUTION = (2, 3, 1, 0)  # (out, in, height, width)
DEPTHWISE = (2, 3, 0, 1)  # (channels, 1, height, width)
POINTWISE = (1, 0)  # (out, in, 1, 1), of which the last two go
LINEAR = (1, 0)  # (out, in)
SHOWN = 5


def kernel_and_bias(name, kernel, bias, axes):
    """Yields the weights of a convolution or a linear layer.

    Each is a name, a variable, and the axes that its array is transposed to.
    """
    yield f"{name}.weight", kernel, axes
    if bias is not None:
        yield f"{name}.bias", bias, (0,)


def normalization(name, layer):
    """Yields the weights of a batch normalization, as above."""
    yield f"{name}.weight", layer.gamma, (0,)
    yield f"{name}.bias", layer.beta, (0,)
    yield f"{name}.running_mean", layer.moving_mean, (0,)
    yield f"{name}.running_var", layer.moving_variance, (0,)


def state_dict_of(arrays):
    """Returns the state dict in a checkpoint as NumPy arrays by name.

    Args:
        arrays: Dictionary from names to arrays, or one that has such a
            dictionary under `"model_ema"` or `"model"`, of which the first is
            preferred.
    """
    for key in ("model_ema", "model"):
        if isinstance(arrays, Mapping) and isinstance(arrays.get(key), Mapping):
            arrays = arrays[key]
    if not isinstance(arrays, Mapping):
        raise ValueError(
            "Invalid value for argument `arrays`. Expected a dictionary from "
            f"PyTorch's names to arrays. Received: {type(arrays).__name__}"
        )
    return {
        name: np.asarray(value)
        for name, value in arrays.items()
        if not name.endswith("num_batches_tracked")
    }


def assign(weights, arrays):
    """Assigns arrays to variables, all of them or none.

    Args:
        weights: List of tuples of a name, a variable and the axes that the
            array is transposed to.
        arrays: Dictionary from names to arrays.

    Raises:
        ValueError: Names are missing or unknown, or shapes are others.
    """
    expected = {name for name, _, _ in weights}
    new, others = [], []
    for name, variable, axes in weights:
        if name not in arrays:
            continue
        array = arrays[name]
        if array.shape[len(axes) :] == (1,) * (array.ndim - len(axes)):
            array = array.reshape(array.shape[: len(axes)])
        if array.ndim == len(axes):
            array = array.transpose(axes)
        if array.shape == tuple(variable.shape):
            new.append((variable, array))
        else:
            others.append(f"{name} {arrays[name].shape}")
    problems = [
        f"{what}: {_some(names)}"
        for what, names in (
            ("missing", sorted(expected - {*arrays})),
            ("unknown", sorted({*arrays} - expected)),
            ("of another shape", others),
        )
        if names
    ]
    if problems:
        raise ValueError(
            "The arrays do not fit the model. Expected the state dict of one "
            f"of the same sizes. Received names {'; '.join(problems)}"
        )
    for variable, array in new:
        variable.assign(array)


def _some(names):
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
