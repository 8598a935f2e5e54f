import keras

from kmul._validation import check_positive_integer
from kmul.layers.depth.layer_attention import LayerAttention
from kmul.models._image_classifier import ImageClassifier


@keras.saving.register_keras_serializable(package="kmul")
class LayerAttendedCNN(ImageClassifier):
    """A convolutional network that is read out through attention over layers.

    ```
    x_l = activation(convolution_l(x_{l−1})),  l = 1, …, depth
    h = LayerAttention(x_1, …, x_depth)
    y = classifier_activation(V h + c)
    ```

    A `CNN` is the special case in which all attention is on the last layer.
    The attention layer is named `layer_attention`.

    Args:
        image_shape: Tuple `(height, width, channels)`.
        classes: Positive integer, the size of the output.
        depth: Positive integer, the number of convolutions.
        filters: Positive integer or list of `depth` of them.
        mechanism: `"concat"`, `"static"`, `"self"` or `"recurrent"`, see
            `kmul.layers.LayerAttention`, as for the next three.
        transform_units: Positive integer, the width of a dense layer that
            each convolution's output goes through first, or `None`.
        num_heads: Positive integer, the number of heads of `"self"`.
        key_dim: Positive integer, the size of their queries and keys.
        kernel_size, strides, hidden_units, pooling: As in `CNN`.
        activation, classifier_activation: As in `CNN`.
        dtype, name, trainable: As in `CNN`.

    Example:

    ```python
    model = kmul.models.LayerAttendedCNN(
        (20, 20, 1), classes=10, depth=4, mechanism="self", transform_units=32
    )
    ```

    Reference:
        - Layer-Attended Convolutional Networks (Bird, 2022), figures 3–6
    """

    def __init__(
        self,
        image_shape,
        classes,
        depth=4,
        filters=8,
        mechanism="static",
        transform_units=None,
        num_heads=1,
        key_dim=32,
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
        hidden_units = check_positive_integer("hidden_units", hidden_units)
        attention = LayerAttention(
            hidden_units,
            mechanism,
            transform_units=transform_units,
            transform_activation=activation,
            num_heads=num_heads,
            key_dim=key_dim,
            pooling=pooling,
            activation=activation,
            dtype=dtype,
            name="layer_attention",
        )
        super().__init__(
            mix=lambda x, fx, index: fx,
            read_out=attention,
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
        self.mechanism = mechanism
        self.transform_units = attention.transform_units
        self.num_heads = attention.num_heads
        self.key_dim = attention.key_dim

    def get_config(self):
        return {
            **super().get_config(),
            "mechanism": self.mechanism,
            "transform_units": self.transform_units,
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
        }
