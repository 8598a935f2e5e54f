"""Keras models built of the layers."""

from kmul.models.product_of_polynomials import (
    ProductOfPolynomials as ProductOfPolynomials,
)
