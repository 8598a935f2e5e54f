import keras

from kmul._validation import check_positive_integer
from kmul._validation import check_shape
from kmul.layers.polynomials.polynomial_dense import PolynomialDense


@keras.saving.register_keras_serializable(package="kmul")
class ProductOfPolynomials(keras.Model):
    """A chain of polynomials, each of the output of the one before (ProdPoly).

    Its degree is the product of their degrees, while its parameters grow with
    the sum.

    Args:
        units: Positive integer, the size of the output's last axis.
        degrees: List or tuple of positive integers, the degree of each
            polynomial.
        form: The form of each, one of `"ccp"`, `"ncp"`, `"ncp_skip"`.
        hidden_units: Positive integer, the width within the polynomials and
            between them.
        **kwargs: The arguments of every model, `name` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, ..., features)`.

    Input shape:
        `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., units)`.

    Example:

    ```python
    model = kmul.models.ProductOfPolynomials(10, degrees=(2, 2, 2))
    model.compile("adam", "mse")
    ```

    Reference:
        - [Π-nets: Deep Polynomial Neural Networks (Chrysos et al., 2020)](
          https://arxiv.org/abs/2003.03828)
    """

    def __init__(
        self, units, degrees=(2, 2), form="ccp", hidden_units=256, **kwargs
    ):
        units = check_positive_integer("units", units)
        if not isinstance(degrees, (tuple, list)) or not degrees:
            raise ValueError(
                "Invalid value for argument `degrees`. Expected a list or "
                "tuple of one or more positive integers. "
                f"Received: degrees={degrees!r}"
            )
        degrees = [check_positive_integer("degrees", each) for each in degrees]
        hidden_units = check_positive_integer("hidden_units", hidden_units)
        super().__init__(**kwargs)
        self.units = units
        self.degrees = tuple(degrees)
        self.form = form
        self.hidden_units = hidden_units
        widths = [hidden_units] * (len(degrees) - 1) + [units]
        self.polynomials = [
            PolynomialDense(
                width,
                degree=degree,
                form=form,
                hidden_units=hidden_units,
                dtype=self.dtype_policy,
                name=f"polynomial_{n}",
            )
            for n, (width, degree) in enumerate(
                zip(widths, degrees, strict=True), 1
            )
        ]

    def build(self, input_shape):
        shape = check_shape("ProductOfPolynomials", input_shape)
        for polynomial in self.polynomials:
            polynomial.build(shape)
            shape = polynomial.compute_output_shape(shape)

    def call(self, inputs):
        for polynomial in self.polynomials:
            inputs = polynomial(inputs)
        return inputs

    def compute_output_shape(self, input_shape):
        shape = check_shape("ProductOfPolynomials", input_shape)
        return (*shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "degrees": list(self.degrees),
            "form": self.form,
            "hidden_units": self.hidden_units,
        }
