import keras
from keras import ops

from kmul._branches import merge_masks
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._validation import check_boolean
from kmul._validation import check_same_shapes
from kmul.layers.depth._base import match_axes
from kmul.layers.depth._base import weighted_sum


@keras.saving.register_keras_serializable(package="kmul")
class ScalarMix(keras.layers.Layer):
    """ELMo's sum of a network's layers with trained weights.

    ```
    y = γ (a_1 x_1 + … + a_L x_L),    a = softmax(s)
    ```

    The weights are equal and γ is 1 at the start. With `normalize` every x_l is
    replaced by

    ```
    (x_l − mean(x_l)) / √(variance(x_l) + 1e-12)
    ```

    where mean and variance are two numbers, taken over all elements of the
    batch that are not masked. ELMo calls this layer normalization; unlike
    `keras.layers.LayerNormalization` it makes the output of one sample depend
    on the others of its batch.

    Args:
        normalize: Boolean, whether the inputs are normalized.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of tensors of one shape, the outputs of the
            layers.

    Input shape:
        List of `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., features)`.

    Weights, in this order: `logits` s (layers,) and `scale` γ ().

    Masking: the output is masked wherever any input is. Masked elements do not
    count in the normalization.

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

    def __init__(self, normalize=False, **kwargs):
        normalize = check_boolean("normalize", normalize)
        super().__init__(**kwargs)
        self.normalize = normalize
        self.supports_masking = True

    def build(self, input_shape):
        shapes = check_same_shapes("ScalarMix", input_shape)
        self.input_spec = [fixed_width(shape) for shape in shapes]
        self.logits = self.add_weight(
            shape=(len(shapes),), initializer="zeros", name="logits"
        )
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, inputs, mask=None):
        """Returns the weighted sum of the inputs.

        Args:
            inputs: List or tuple of tensors of shape
                `(batch, ..., features)`.
            mask: List of boolean tensors of shape `(batch, ...)` or `None`,
                one for each input; or `None`. Masked positions are left out
                of the normalization.

        Returns:
            Tensor of shape `(batch, ..., features)`.
        """
        inputs = receive(self, inputs)
        if self.normalize:
            mask = merge_masks(mask)
            inputs = [self._normalized(x, mask) for x in inputs]
        weights = ops.multiply(self.scale, ops.softmax(self.logits))
        return weighted_sum(weights, inputs)

    def _normalized(self, x, mask):
        # Half precision has too small a range for sums over a batch.
        dtype = self.compute_dtype
        wide = "float32" if dtype in ("float16", "bfloat16") else dtype
        x = ops.cast(x, wide)
        kept = ops.ones_like(x, dtype="bool")
        if mask is not None:
            kept = ops.logical_and(kept, match_axes(mask, x))
        count = ops.maximum(ops.sum(ops.cast(kept, wide)), 1)
        nothing = ops.zeros_like(x)
        mean = ops.divide(ops.sum(ops.where(kept, x, nothing)), count)
        centered = ops.subtract(x, mean)
        squares = ops.square(ops.where(kept, centered, nothing))
        variance = ops.divide(ops.sum(squares), count)
        normalized = ops.divide(centered, ops.sqrt(variance + 1e-12))
        return ops.cast(normalized, dtype)

    def compute_output_shape(self, input_shape):
        return check_same_shapes("ScalarMix", input_shape)[0]

    def compute_mask(self, inputs, mask=None):
        return merge_masks(mask)

    def get_config(self):
        return {**super().get_config(), "normalize": self.normalize}
