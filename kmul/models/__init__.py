"""Networks built of the layers, used like any `keras.Model`."""

from kmul.models.cas_vit import CASViT
from kmul.models.cnn import CNN
from kmul.models.layer_attended_cnn import LayerAttendedCNN
from kmul.models.product_of_polynomials import ProductOfPolynomials
from kmul.models.residual_cnn import ResidualCNN
from kmul.models.star_net import StarNet

__all__ = [
    "CNN",
    "CASViT",
    "LayerAttendedCNN",
    "ProductOfPolynomials",
    "ResidualCNN",
    "StarNet",
]
