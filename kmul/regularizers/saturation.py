import keras
from keras import ops

from kmul._magnitude import magnitude
from kmul._validation import check_positive_number


@keras.saving.register_keras_serializable(package="kmul")
class Saturation(keras.regularizers.Regularizer):
    """Drives weights away from zero, until sigmoids and tanhs of them saturate.

    ```
    strength · mean(max(bound − abs(W), 0))
    ```

    Args:
        strength: Positive number.
        bound: Positive number, the magnitude from which on a weight is free.

    Example:

    ```python
    saturation = kmul.regularizers.Saturation(0.05)
    kmul.layers.INALU(
        2,
        tanh_kernel_regularizer=saturation,
        sigmoid_kernel_regularizer=saturation,
        gate_regularizer=saturation,
        regularizer_warmup=(10_000, 10_001),
    )
    ```

    Reference:
        - [iNALU: Improved Neural Arithmetic Logic Unit (Schlör et al., 2020)](
          https://arxiv.org/abs/2003.07629)
    """

    def __init__(self, strength=0.05, bound=20.0):
        check_positive_number("strength", strength)
        check_positive_number("bound", bound)
        self.strength = strength
        self.bound = bound

    def __call__(self, x):
        missing = ops.relu(ops.subtract(self.bound, magnitude(x)))
        return ops.multiply(ops.mean(missing), self.strength)

    def get_config(self):
        return {"strength": self.strength, "bound": self.bound}
