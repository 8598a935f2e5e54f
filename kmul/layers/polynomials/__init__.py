"""Polynomials of one input, in factored form, dense and convolutional."""
