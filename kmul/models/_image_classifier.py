import keras

from kmul._validation import check_boolean
from kmul._validation import check_choice
from kmul._validation import check_each_positive
from kmul._validation import check_positive_integer


class ImageClassifier(keras.Model):
    """The base of the convolutional networks.

    Args:
        mix: Called on the input and the output of a convolution and its
            number, gives the input of the next.
        read_out: Called on the list of all that `mix` gave, gives the hidden
            vector. None reads the last by a dense layer.
        The others are documented at `CNN`.
    """

    def __init__(
        self,
        mix,
        read_out,
        image_shape,
        classes,
        depth,
        filters,
        kernel_size,
        strides,
        hidden_units,
        pooling,
        activation,
        classifier_activation,
        dtype,
        name,
        trainable,
    ):
        check_choice("pooling", pooling, (None, "avg"))
        image_shape = check_image_shape(image_shape, pooling)
        classes = check_positive_integer("classes", classes)
        depth = check_positive_integer("depth", depth)
        filters_of = check_each_positive("filters", filters, depth)
        kernel_size = check_positive_integer("kernel_size", kernel_size)
        strides_of = check_each_positive("strides", strides, depth)
        hidden_units = check_positive_integer("hidden_units", hidden_units)
        trainable = check_boolean("trainable", trainable)

        image = keras.Input(image_shape, name="image")
        x, outputs = image, []
        for index in range(depth):
            convolution = keras.layers.Conv2D(
                filters_of[index],
                kernel_size,
                strides=strides_of[index],
                padding="same",
                activation=activation,
                data_format="channels_last",
                dtype=dtype,
                name=f"convolution_{index + 1}",
            )
            x = mix(x, convolution(x), index + 1)
            outputs.append(x)
        if read_out is not None:
            x = read_out(outputs)
        else:
            if pooling is None:
                x = keras.layers.Flatten(dtype=dtype, name="flatten")(x)
            else:
                x = keras.layers.GlobalAveragePooling2D(
                    data_format="channels_last", dtype=dtype, name="pooling"
                )(x)
            x = keras.layers.Dense(
                hidden_units, activation=activation, dtype=dtype, name="hidden"
            )(x)
        x = keras.layers.Dense(
            classes,
            activation=classifier_activation,
            dtype=dtype,
            name="classifier",
        )(x)
        super().__init__(image, x, name=name, trainable=trainable)

        # A functional model does not take its policy as an argument.
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.image_shape = image_shape
        self.classes = classes
        self.depth = depth
        several = isinstance(filters, (tuple, list))
        self.filters = filters_of if several else filters_of[0]
        self.kernel_size = kernel_size
        several = isinstance(strides, (tuple, list))
        self.strides = strides_of if several else strides_of[0]
        self.hidden_units = hidden_units
        self.pooling = pooling
        self.activation = keras.activations.get(activation)
        self.classifier_activation = keras.activations.get(
            classifier_activation
        )

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "image_shape": self.image_shape,
            "classes": self.classes,
            "depth": self.depth,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "hidden_units": self.hidden_units,
            "pooling": self.pooling,
            "activation": keras.activations.serialize(self.activation),
            "classifier_activation": keras.activations.serialize(
                self.classifier_activation
            ),
        }


def check_image_shape(shape, pooling):
    """Returns the shape as a tuple of positive integers and `None`."""
    if (
        not isinstance(shape, (tuple, list))
        or len(shape) != 3
        or shape[-1] is None
    ):
        raise ValueError(
            "Invalid value for argument `image_shape`. Expected (height, "
            f"width, channels). Received: image_shape={shape!r}"
        )
    if pooling is None and None in shape:
        raise ValueError(
            "Without `pooling` the size of the images should be known. "
            f"Received: image_shape={tuple(shape)}, pooling=None"
        )
    return tuple(
        None if size is None else check_positive_integer("image_shape", size)
        for size in shape
    )
