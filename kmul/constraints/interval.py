import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kmul")
class Interval(keras.constraints.Constraint):
    """Keeps every weight in an interval, by clipping after each step.

    Args:
        minimum: Number, the smallest value.
        maximum: Number, the largest value, above `minimum`.

    Example:

    ```python
    keras.layers.Dense(
        10, kernel_constraint=kmul.constraints.Interval(-1.0, 1.0)
    )
    ```
    """

    def __init__(self, minimum, maximum):
        for bound in (minimum, maximum):
            if isinstance(bound, bool) or not isinstance(bound, numbers.Real):
                raise ValueError(
                    "The bounds of `Interval` should be numbers. Received: "
                    f"minimum={minimum!r}, maximum={maximum!r}"
                )
        if not minimum < maximum:
            raise ValueError(
                "The argument `minimum` should be below `maximum`. Received: "
                f"minimum={minimum!r}, maximum={maximum!r}"
            )
        self.minimum = minimum
        self.maximum = maximum

    def __call__(self, w):
        return ops.clip(w, self.minimum, self.maximum)

    def get_config(self):
        return {"minimum": self.minimum, "maximum": self.maximum}
