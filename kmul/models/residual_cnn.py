import keras

from kmul._validation import check_choice
from kmul._validation import check_fraction
from kmul.layers.depth.residual_mix import ResidualMix
from kmul.models._image_classifier import ImageClassifier


@keras.saving.register_keras_serializable(package="kmul")
class ResidualCNN(ImageClassifier):
    """A convolutional network in which every convolution can be bypassed.

    ```
    x_l = β_l activation(convolution_l(x_{l−1})) + (1 − β_l) x_{l−1}
    ```

    and the rest as in `CNN`. The mix is made wherever a convolution's input and
    output have one shape; elsewhere, at the first convolution for example, the
    output is used as it is. Every `β` is trained and stays in [0, 1].

    Args:
        image_shape: Tuple `(height, width, channels)`.
        classes: Positive integer, the size of the output.
        depth: Positive integer, the number of convolutions.
        filters: Positive integer or list of `depth` of them.
        initial_value: Number in [0, 1], where each β starts.
        per: `"layer"` for one β per convolution, `"channel"` for one per
            filter.
        kernel_size, strides, hidden_units, pooling: As in `CNN`.
        activation, classifier_activation: As in `CNN`.
        dtype, name, trainable: As in `CNN`.

    Example:

    ```python
    model = kmul.models.ResidualCNN((20, 20, 1), classes=10, depth=4)
    [mix.beta for mix in model.layers if mix.name.startswith("mix")]
    ```

    Reference:
        - [Deep Residual Learning for Image Recognition (He et al., 2015)](
          https://arxiv.org/abs/1512.03385)
        - Layer-Attended Convolutional Networks (Bird, 2022), Eqn. 1
    """

    def __init__(
        self,
        image_shape,
        classes,
        depth=4,
        filters=8,
        initial_value=0.5,
        per="layer",
        kernel_size=3,
        strides=1,
        hidden_units=32,
        pooling=None,
        activation="relu",
        classifier_activation="softmax",
        dtype=None,
        name=None,
        trainable=True,
    ):
        initial_value = check_fraction("initial_value", initial_value)
        check_choice("per", per, ("layer", "channel"))

        def mix(x, fx, index):
            if x.shape != fx.shape:
                return fx
            return ResidualMix(
                initial_value, per, dtype=dtype, name=f"mix_{index}"
            )([x, fx])

        super().__init__(
            mix=mix,
            read_out=None,
            image_shape=image_shape,
            classes=classes,
            depth=depth,
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            hidden_units=hidden_units,
            pooling=pooling,
            activation=activation,
            classifier_activation=classifier_activation,
            dtype=dtype,
            name=name,
            trainable=trainable,
        )
        self.initial_value = initial_value
        self.per = per

    def get_config(self):
        return {
            **super().get_config(),
            "initial_value": self.initial_value,
            "per": self.per,
        }
