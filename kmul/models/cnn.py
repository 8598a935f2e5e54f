import keras

from kmul.models._image_classifier import ImageClassifier


@keras.saving.register_keras_serializable(package="kmul")
class CNN(ImageClassifier):
    """A plain convolutional network that classifies images.

    ```
    x_l = activation(convolution_l(x_{l−1})),  l = 1, …, depth
    h = activation(W flatten(x_depth) + b)
    y = classifier_activation(V h + c)
    ```

    Args:
        image_shape: Tuple `(height, width, channels)`. With `pooling="avg"`
            height and width may be `None`.
        classes: Positive integer, the size of the output.
        depth: Positive integer, the number of convolutions.
        filters: Positive integer, the number of filters of each convolution,
            or a list of `depth` of them.
        kernel_size: Positive integer, the size of the convolutions' windows.
        strides: Positive integer, the stride of each convolution, or a list
            of `depth` of them.
        hidden_units: Positive integer, the size of the hidden vector.
        pooling: `None` flattens the last convolution's output, which keeps
            positions, `"avg"` averages it over the image.
        activation: Activation of the convolutions and the hidden vector.
        classifier_activation: Activation of the output.
        dtype: The dtype policy of all layers.
        name: Name of the model.
        trainable: Boolean, whether the weights are trained.

    Example:

    ```python
    model = kmul.models.CNN((20, 20, 1), classes=10, depth=4, filters=8)
    model.compile("adam", "sparse_categorical_crossentropy")
    ```

    Reference:
        - [Backpropagation applied to handwritten zip code recognition
          (LeCun et al., 1989)](https://doi.org/10.1162/neco.1989.1.4.541)
    """

    def __init__(
        self,
        image_shape,
        classes,
        depth=4,
        filters=8,
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
        super().__init__(
            mix=lambda x, fx, index: fx,
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
