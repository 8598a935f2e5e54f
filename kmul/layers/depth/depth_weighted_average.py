import keras
from keras import ops

from kmul._branches import merge_masks
from kmul._validation import check_same_shapes


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

    Args:
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of tensors of one shape, the outputs of the
            layers from the first to the last.

    Input shape:
        List of `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., features)`.

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    x = keras.Input((20, 64))
    outputs = [x]
    for _ in range(3):
        y = keras.layers.Dense(64, activation="relu")(outputs[-1])
        outputs.append(kmul.layers.DepthWeightedAverage()([*outputs, y]))
    ```

    Reference:
        - [DenseFormer: Enhancing Information Flow in Transformers via Depth
          Weighted Averaging (Pagliardini et al., 2024)](
          https://arxiv.org/abs/2402.02622)
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        shapes = check_same_shapes("DepthWeightedAverage", input_shape)
        self.alpha = self.add_weight(
            shape=(len(shapes),), initializer=_last, name="alpha"
        )

    def call(self, inputs):
        return sum(
            (self.alpha[i] * inputs[i] for i in range(1, len(inputs))),
            self.alpha[0] * inputs[0],
        )

    def compute_output_shape(self, input_shape):
        return check_same_shapes("DepthWeightedAverage", input_shape)[0]

    def compute_mask(self, inputs, mask=None):
        return merge_masks(mask)


def _last(shape, dtype=None):
    return ops.one_hot(shape[0] - 1, shape[0], dtype=dtype)
