"""Convolutional networks that classify images."""

from typing import ClassVar

from kmul import models
from kmul.layers.depth.layer_attention import MECHANISMS
from tuning.networks.network import Network


class PlainCNN(Network):
    """A plain convolutional network, of `depth` convolutions."""

    depths = (2, 3, 4, 5, 6, 7, 8)
    activations = ("relu", "selu", "tanh")
    input_rank = 3
    model_class = models.CNN

    def model(self, depth, activation, **options):
        (image_shape,) = self.input_shapes
        return self.model_class(
            image_shape,
            classes=self.units,
            depth=depth,
            activation=activation,
            # The first one halves the image.
            strides=[2] + [1] * (depth - 1),
            **options,
        )


class ResidualCNN(PlainCNN):
    """The same with a trainable share of each convolution's input added."""

    model_class = models.ResidualCNN


class LayerAttendedCNN(PlainCNN):
    """The same read out through attention over all convolutions."""

    choices: ClassVar[dict[str, tuple]] = {
        "mechanism": MECHANISMS,
        "transform_units": (0, 32),
    }
    model_class = models.LayerAttendedCNN

    def model(self, depth, activation, mechanism, transform_units):
        return super().model(
            depth,
            activation,
            mechanism=mechanism,
            transform_units=transform_units or None,
        )
