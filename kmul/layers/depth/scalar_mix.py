import keras
from keras import ops

from kmul._branches import merge_masks
from kmul._validation import check_same_shapes


@keras.saving.register_keras_serializable(package="kmul")
class ScalarMix(keras.layers.Layer):
    """ELMo's sum of a network's layers with trained weights.

    ```
    y = γ (a_1 x_1 + … + a_L x_L),    a = softmax(s)
    ```

    The weights are equal and γ is 1 at the start.

    Args:
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of tensors of one shape, the outputs of the
            layers.

    Input shape:
        List of `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., features)`.

    Masking: the output is masked wherever any input is.

    Example:

    ```python
    x1 = keras.Input((20, 64))
    x2 = keras.layers.Dense(64, activation="relu")(x1)
    y = kmul.layers.ScalarMix()([x1, x2])  # (batch, 20, 64)
    ```

    Reference:
        - [Deep contextualized word representations (Peters et al., 2018)](
          https://arxiv.org/abs/1802.05365)
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        shapes = check_same_shapes("ScalarMix", input_shape)
        self.logits = self.add_weight(
            shape=(len(shapes),), initializer="zeros", name="logits"
        )
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, inputs):
        weights = self.scale * ops.softmax(self.logits)
        return sum(
            (weights[i] * inputs[i] for i in range(1, len(inputs))),
            weights[0] * inputs[0],
        )

    def compute_output_shape(self, input_shape):
        return check_same_shapes("ScalarMix", input_shape)[0]

    def compute_mask(self, inputs, mask=None):
        return merge_masks(mask)
