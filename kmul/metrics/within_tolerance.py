import keras
from keras import ops

from kmul._validation import check_positive_number

# Half of a tenth of a decade: the article's bound on a right answer.
DEFAULT_TOLERANCE = 0.5 / 10**0.5


def within_tolerance(y_true, y_pred, tolerance=DEFAULT_TOLERANCE):
    """1 where the absolute error is at most `tolerance`, 0 elsewhere.

    Args:
        y_true: Tensor of labels.
        y_pred: Tensor of predictions of the same shape.
        tolerance: Positive number, in the units of the labels.

    Returns:
        A tensor of the predictions' dtype and shape. A prediction that is not
        a number is never within the tolerance.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    return ops.cast(ops.abs(y_true - y_pred) <= tolerance, y_pred.dtype)


@keras.saving.register_keras_serializable(package="kmul")
class WithinTolerance(keras.metrics.MeanMetricWrapper):
    """Share of elements whose absolute error is at most `tolerance`.

    ```
    mean(|y_pred − y_true| ≤ tolerance)
    ```

    Args:
        tolerance: Positive number, in the units of the labels. Default
            `0.5 / √10 ≈ 0.158`.
        name: String name of the metric instance.
        dtype: The dtype of the result.

    Example:

    >>> metric = kmul.metrics.WithinTolerance(0.1)
    >>> metric.update_state([[1.0, 2.0]], [[1.05, 2.5]])
    >>> metric.result()
    0.5
    """

    def __init__(
        self,
        tolerance=DEFAULT_TOLERANCE,
        name="within_tolerance",
        dtype=None,
    ):
        check_positive_number("tolerance", tolerance)
        super().__init__(
            within_tolerance, name=name, dtype=dtype, tolerance=tolerance
        )
        self.tolerance = tolerance
        self._direction = "up"

    def get_config(self):
        return {
            "name": self.name,
            "dtype": self.dtype,
            "tolerance": self.tolerance,
        }
