"""Fusion of modalities by products: bilinear models in affordable forms.

All but the last two are called on two tensors, project them to one width,
multiply them in some form, and map the product to `units` by a linear layer.
"""

from kmul._contractions import linear
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._normalization import l2_normalize
from kmul._normalization import signed_sqrt
from kmul._validation import check_positive_integer
from kmul._validation import check_shapes
from kmul.layers._kernel_layer import KernelLayer


class Fusion(KernelLayer):
    """The base of fusions of two modalities.

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width of the product.
        **kwargs: The arguments of `KernelLayer`.
    """

    def __init__(self, units, hidden_units, **kwargs):
        units = check_positive_integer("units", units)
        hidden_units = check_positive_integer("hidden_units", hidden_units)
        super().__init__(**kwargs)
        self.units = units
        self.hidden_units = hidden_units

    def build(self, input_shape):
        shapes = self._check_shapes(input_shape)
        self.input_spec = [fixed_width(shape) for shape in shapes]
        self.build_product(shapes[0][-1], shapes[1][-1])
        self.output_layer = self.add_linear(
            "output", self.product_width(), self.units
        )

    def build_product(self, first, second):
        """Adds the weights of the product of inputs of these widths."""
        raise NotImplementedError

    def product_width(self):
        return self.hidden_units

    def fuse(self, first, second):
        """Returns the product."""
        raise NotImplementedError

    def call(self, inputs):
        first, second = receive(self, inputs)
        return linear(self.fuse(first, second), *self.output_layer)

    def compute_output_shape(self, input_shape):
        return (*self._check_shapes(input_shape)[0][:-1], self.units)

    def add_projections(self, first, second, units):
        self.projections = [
            self.add_linear("first", first, units),
            self.add_linear("second", second, units),
        ]

    def project(self, first, second):
        return (
            linear(first, *self.projections[0]),
            linear(second, *self.projections[1]),
        )

    def normalize_product(self, product):
        """The signed square root, then the L2 norm over the last axis."""
        return l2_normalize(signed_sqrt(product), self.compute_dtype)

    def _check_shapes(self, input_shape):
        return check_shapes(type(self).__name__, input_shape, maximum=2)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "hidden_units": self.hidden_units,
        }
