import keras
from keras import ops

from kmul._branches import merge_masks
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._validation import check_positive_integer
from kmul._validation import check_same_shapes
from kmul.layers.depth._base import weighted_sum


@keras.saving.register_keras_serializable(package="kmul")
class DepthWeightedAverage(keras.layers.Layer):
    """DenseFormer's sum of a network's layers with free trained weights.

    ```
    y = α_1 x_1 + … + α_L x_L
    ```

    The weights start at 1 for the last layer and 0 for all others, so that the
    layer changes nothing at first. They may become negative and need not sum
    to 1. DenseFormer has one such layer after every block, called on the
    outputs of all blocks so far and the embedding.

    With the dilation k only every k-th input counts, backwards from the last
    one: x_L, x_{L−k}, x_{L−2k}, …. With the period p there is a sum after every
    p-th block alone, that is where p divides L − 1; elsewhere y = x_L, without
    weights. So the same layer stands after every block of DenseFormer k×p.

    Args:
        dilation: Positive integer k.
        period: Positive integer p.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of two or more tensors of one shape, the
            embedding and the outputs of the blocks from the first to the last.

    Input shape:
        List of `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., features)`.

    Weights: `alpha` (⌈L / k⌉,), in the order of the inputs that count.

    Masking: the output is masked wherever any of these inputs is.

    Example:

    ```python
    x = keras.Input((20, 64))
    outputs, y = [x], x
    for _ in range(3):
        outputs.append(keras.layers.Dense(64, activation="relu")(y))
        y = kmul.layers.DepthWeightedAverage()(outputs)
    ```

    Reference:
        - [DenseFormer: Enhancing Information Flow in Transformers via Depth
          Weighted Averaging (Pagliardini et al., 2024)](
          https://arxiv.org/abs/2402.02622)
    """

    def __init__(self, dilation=1, period=1, **kwargs):
        dilation = check_positive_integer("dilation", dilation)
        period = check_positive_integer("period", period)
        super().__init__(**kwargs)
        self.dilation = dilation
        self.period = period
        self.supports_masking = True

    def build(self, input_shape):
        shapes = check_same_shapes("DepthWeightedAverage", input_shape)
        self.input_spec = [fixed_width(shape) for shape in shapes]
        self.alpha = None
        if self._has_weights(shapes):
            self.alpha = self.add_weight(
                shape=(len(self._counting(shapes)),),
                initializer=_last,
                name="alpha",
            )

    def call(self, inputs):
        """Returns the weighted sum of the inputs that count.

        Args:
            inputs: List or tuple of two or more tensors of shape
                `(batch, ..., features)`, from the first block to the last.

        Returns:
            Tensor of shape `(batch, ..., features)`.
        """
        inputs = receive(self, inputs)
        if self.alpha is None:
            return inputs[-1]
        return weighted_sum(self.alpha, self._counting(inputs))

    def _has_weights(self, inputs):
        return (len(inputs) - 1) % self.period == 0

    def _counting(self, inputs):
        """Returns those that the output is made of."""
        if not self._has_weights(inputs):
            return inputs[-1:]
        return inputs[(len(inputs) - 1) % self.dilation :: self.dilation]

    def compute_output_shape(self, input_shape):
        return check_same_shapes("DepthWeightedAverage", input_shape)[0]

    def compute_mask(self, inputs, mask=None):
        return None if mask is None else merge_masks(self._counting(mask))

    def get_config(self):
        return {
            **super().get_config(),
            "dilation": self.dilation,
            "period": self.period,
        }


def _last(shape, dtype=None):
    return ops.one_hot(shape[0] - 1, shape[0], dtype=dtype)
