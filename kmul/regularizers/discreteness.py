import numbers

import keras
from keras import ops

from kmul._magnitude import magnitude
from kmul._validation import check_positive_number


@keras.saving.register_keras_serializable(package="kmul")
class Discreteness(keras.regularizers.Regularizer):
    """Penalizes weights by their mean distance to the nearest of some values.

    ```
    strength · mean(min_v abs(W − v))
    ```

    This is the sparsity regularizer of the neural arithmetic units: with the
    values 0 and 1, that of `NMU`, mean(min(abs W, abs(1 − W))); with −1, 0 and
    1, that of `NAU`, mean(min(abs W, 1 − abs W)) for W in [−1, 1]. Its slope is
    0 at each value, where weights stay, and halfway between two of them.

    Args:
        strength: Positive number.
        values: The values that weights should take.

    Example:

    ```python
    kmul.layers.NAU(
        2,
        kernel_regularizer=kmul.regularizers.Discreteness(10.0),
        regularizer_warmup=(20_000, 35_000),
    )
    ```

    Reference:
        - [Neural Arithmetic Units (Madsen & Johansen, 2020)](
          https://arxiv.org/abs/2001.05016)
    """

    def __init__(self, strength=0.01, values=(-1.0, 0.0, 1.0)):
        check_positive_number("strength", strength)
        self.strength = strength
        self.values = check_values(values)

    def __call__(self, x):
        distance = distance_to_nearest(x, self.values)
        return ops.multiply(ops.mean(distance), self.strength)

    def get_config(self):
        return {"strength": self.strength, "values": list(self.values)}


def check_values(values):
    """Returns `values` as a tuple if they are one or more numbers."""
    if (
        not isinstance(values, (tuple, list))
        or not values
        or any(
            isinstance(value, bool)
            or not isinstance(value, numbers.Real)
            or not abs(value) < float("inf")
            for value in values
        )
    ):
        raise ValueError(
            "Invalid value for argument `values`. Expected a list or tuple of "
            f"one or more finite numbers. Received: values={values!r}"
        )
    return tuple(values)


def distance_to_nearest(weights, values):
    """Returns the distance of each weight to the nearest of `values`."""
    first, *others = values
    nearest = magnitude(ops.subtract(weights, first))
    for value in others:
        distance = magnitude(ops.subtract(weights, value))
        # The slope of `minimum` between equals depends on the backend.
        nearest = ops.where(
            ops.equal(nearest, distance),
            (nearest + distance) / 2,
            ops.minimum(nearest, distance),
        )
    return nearest
