import keras

from kmul._contractions import linear
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._normalization import l2_normalize
from kmul._normalization import signed_sqrt
from kmul._validation import check_boolean
from kmul._validation import check_positive_integer
from kmul._validation import check_rate
from kmul._validation import check_seed
from kmul._validation import check_shapes
from kmul.layers._kernel_layer import KernelLayer


class Fusion(KernelLayer):
    """The base of fusions of two inputs.

    They project both to one width, multiply them in some form, and map the
    product to `units` by a linear layer.

    Args:
        units: Positive integer, the size of the output's last axis.
        hidden_units: Positive integer, the width of the product.
        activation: Activation of the output.
        dropout: Number in [0, 1), how much of the product is dropped.
        shared: Boolean, whether both inputs have the same projections.
        seed: Integer, the seed of the dropout.
        **kwargs: The arguments of `KernelLayer`.
    """

    def __init__(
        self,
        units,
        hidden_units,
        activation=None,
        dropout=0.0,
        shared=False,
        seed=None,
        **kwargs,
    ):
        units = check_positive_integer("units", units)
        hidden_units = check_positive_integer("hidden_units", hidden_units)
        dropout = check_rate("dropout", dropout)
        shared = check_boolean("shared", shared)
        seed = check_seed(seed)
        super().__init__(**kwargs)
        self.units = units
        self.hidden_units = hidden_units
        self.activation = keras.activations.get(activation)
        self.dropout = dropout
        self.shared = shared
        self.seed = seed
        self.dropout_layer = None
        if dropout:
            self.dropout_layer = keras.layers.Dropout(
                dropout, seed=seed, dtype=self.dtype_policy, name="dropout"
            )

    def build(self, input_shape):
        shapes = self._check_shapes(input_shape)
        self.input_spec = [fixed_width(shape) for shape in shapes]
        self.build_product(shapes[0][-1], shapes[1][-1])
        self.output_layer = self.add_linear(
            "output", self.product_width(), self.units
        )

    def call(self, inputs, training=None):
        """Returns the fusion of two modalities.

        Args:
            inputs: List or tuple of two tensors, of shapes
                `(batch, ..., features_1)` and `(batch, ..., features_2)`.
            training: Boolean, whether dropout is on.

        Returns:
            Tensor of shape `(batch, ..., units)`.
        """
        product = self.fuse(*receive(self, inputs), training)
        return self.activation(linear(product, *self.output_layer))

    def build_product(self, first, second):
        """Adds the weights of the product of inputs of these widths."""
        raise NotImplementedError

    def product_width(self):
        return self.hidden_units

    def fuse(self, first, second, training):
        """Returns the product."""
        raise NotImplementedError

    def add_pair(self, name, first, second, units, parts=1):
        """Adds a linear layer of each input, or one of both if `shared`."""
        layer = self.add_linear(f"first{name}", first, units, parts)
        if self.shared:
            return [layer, layer]
        return [layer, self.add_linear(f"second{name}", second, units, parts)]

    def drop(self, product, training):
        if self.dropout_layer is None:
            return product
        return self.dropout_layer(product, training=training)

    def compute_output_shape(self, input_shape):
        return (*self._check_shapes(input_shape)[0][:-1], self.units)

    def _check_shapes(self, input_shape):
        name = type(self).__name__
        shapes = check_shapes(name, input_shape, maximum=2)
        if self.shared and shapes[0][-1] != shapes[1][-1]:
            raise ValueError(
                f"With `shared=True` both inputs of `{name}` should have one "
                f"width. Received: input_shape={shapes}"
            )
        return shapes

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "seed": self.seed,
        }


def apply_pair(pair, first, second):
    """Returns two tensors, each after its layer of a pair."""
    return linear(first, *pair[0]), linear(second, *pair[1])


def normalize_product(product, dtype):
    """The signed square root, then the L2 norm over the last axis."""
    return l2_normalize(signed_sqrt(product), dtype)
