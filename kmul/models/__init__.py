"""Small networks built of the layers, used like any `keras.Model`."""

from kmul.models.cnn import CNN as CNN
from kmul.models.layer_attended_cnn import LayerAttendedCNN as LayerAttendedCNN
from kmul.models.product_of_polynomials import (
    ProductOfPolynomials as ProductOfPolynomials,
)
from kmul.models.residual_cnn import ResidualCNN as ResidualCNN
