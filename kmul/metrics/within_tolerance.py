import keras
from keras import ops

from kmul._validation import check_positive_number

# Half of a tenth of a decade: the article's bound on a right answer.
DEFAULT_TOLERANCE = 0.5 / 10**0.5


def within_tolerance(y_true, y_pred, tolerance=DEFAULT_TOLERANCE):
    """1 where the absolute error is at most `tolerance`, 0 elsewhere.

    Args:
        y_true: Tensor of labels.
        y_pred: Tensor of predictions of the same shape. Where one of both has
            a last axis of size 1 that the other lacks, it is left out.
        tolerance: Positive number, in the units of the labels.

    Returns:
        A tensor of float32, or of float64 if the predictions are. What is not
        a number is never within the tolerance.
    """
    y_true, y_pred = (
        ops.convert_to_tensor(y_true),
        ops.convert_to_tensor(y_pred),
    )
    # Neither integer nor half-precision predictions round the labels.
    double = keras.utils.standardize_dtype(y_pred.dtype) == "float64"
    dtype = "float64" if double else "float32"
    y_true, y_pred = _of_one_rank(y_true, y_pred)
    error = ops.abs(ops.cast(y_true, dtype) - ops.cast(y_pred, dtype))
    return ops.cast(error <= tolerance, dtype)


def _of_one_rank(y_true, y_pred):
    """Returns both without the last axis of size 1 that only one has."""
    surplus = len(y_true.shape) - len(y_pred.shape)
    if surplus == 1 and y_true.shape[-1] == 1:
        return ops.squeeze(y_true, -1), y_pred
    if surplus == -1 and y_pred.shape[-1] == 1:
        return y_true, ops.squeeze(y_pred, -1)
    if surplus:
        raise ValueError(
            "The arguments `y_true` and `y_pred` should have one shape. "
            f"Received: y_true of shape {tuple(y_true.shape)}, y_pred of shape "
            f"{tuple(y_pred.shape)}"
        )
    return y_true, y_pred


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

    ```python
    metric = kmul.metrics.WithinTolerance(0.1)
    metric.update_state([[1.0, 2.0]], [[1.05, 2.5]])
    float(metric.result())  # 0.5
    ```
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
