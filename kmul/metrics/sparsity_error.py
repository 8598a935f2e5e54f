import numpy as np
from keras import ops

from kmul.regularizers.discreteness import check_values


def sparsity_error(weights, values=(-1.0, 0.0, 1.0)):
    """How far the weights of a neural arithmetic unit are from being exact.

    ```
    max(min_v abs(W − v))
    ```

    The largest distance of any weight to the nearest of the values that it
    takes in an exact solution: 0 for a unit that has found one, at most 0.5
    for weights between the values.

    Args:
        weights: Tensor, variable or array: a kernel of such a unit, one of
            its `layer.effective_kernels()`.
        values: The values of exact weights: −1, 0 and 1 for `NAU`, 0 and 1 for
            `NMU`, for which this is max(min(abs W, abs(1 − W))).

    Returns:
        A Python float, not a number if any weight is none.

    Example:

    ```python
    layer = kmul.layers.NAU(2)
    layer.build((None, 3))
    kmul.metrics.sparsity_error(layer.effective_kernels()[0])
    ```

    Reference:
        - [Neural Arithmetic Units (Madsen & Johansen, 2020)](
          https://arxiv.org/abs/2001.05016)
    """
    values = np.array(check_values(values))
    weights = np.asarray(ops.convert_to_numpy(weights))
    if not weights.size:
        raise ValueError(
            "Invalid value for argument `weights`. Expected one or more "
            f"weights. Received: weights of shape {weights.shape}"
        )
    return float(np.abs(weights[..., None] - values).min(-1).max())
