import keras
from keras import ops

from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_choice
from kmul._validation import check_fraction
from kmul._validation import check_same_shapes


@keras.saving.register_keras_serializable(package="kmul")
class ResidualMix(keras.layers.Layer):
    """A weighted average of a layer's output and its input.

    ```
    g(x) = β f(x) + (1 − β) x
    ```

    `β` is trained and kept in [0, 1] after every step. With β = 1 the layer `f`
    is used as it is, with β = 0 it is bypassed.

    Args:
        initial_value: Number in [0, 1], where β starts.
        per: `"layer"` for one β, `"channel"` for one per element of the last
            axis.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of the two tensors `[x, f(x)]`, of one shape.

    Input shape:
        Two times `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., features)`.

    Masking: the mask of `x` is passed on.

    Example:

    ```python
    x = keras.Input((20, 20, 8))
    fx = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    y = kmul.layers.ResidualMix(initial_value=0.5)([x, fx])
    ```

    Reference:
        - [Deep Residual Learning for Image Recognition (He et al., 2015)](
          https://arxiv.org/abs/1512.03385)
        - Layer-Attended Convolutional Networks (Bird, 2022), Eqn. 1
    """

    def __init__(self, initial_value=0.5, per="layer", **kwargs):
        initial_value = check_fraction("initial_value", initial_value)
        check_choice("per", per, ("layer", "channel"))
        super().__init__(**kwargs)
        self.initial_value = initial_value
        self.per = per
        self.supports_masking = True

    def build(self, input_shape):
        shape = self._check_shapes(input_shape)
        self.input_spec = [fixed_width(shape)] * 2
        self.beta = self.add_weight(
            shape=() if self.per == "layer" else (shape[-1],),
            initializer=keras.initializers.Constant(self.initial_value),
            constraint=_unit_interval,
            name="beta",
        )

    def call(self, inputs):
        """Returns β f(x) + (1 − β) x.

        Args:
            inputs: List or tuple `[x, f(x)]` of two tensors of shape
                `(batch, ..., features)`.

        Returns:
            Tensor of the shape of `x`.
        """
        x, fx = receive(self, inputs)
        share = ops.subtract(1, self.beta)
        return add(ops.multiply(self.beta, fx), ops.multiply(share, x))

    def compute_output_shape(self, input_shape):
        return self._check_shapes(input_shape)

    def compute_mask(self, inputs, mask=None):
        return None if mask is None else mask[0]

    def _check_shapes(self, input_shape):
        shapes = check_same_shapes("ResidualMix", input_shape)
        if len(shapes) != 2:
            raise ValueError(
                "`ResidualMix` should be called on two tensors, "
                f"[x, f(x)]. Received: input_shape={shapes}"
            )
        return shapes[0]

    def get_config(self):
        return {
            **super().get_config(),
            "initial_value": self.initial_value,
            "per": self.per,
        }


def _unit_interval(weight):
    return ops.clip(weight, 0, 1)
