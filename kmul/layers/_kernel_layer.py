import keras

from kmul._branches import branch_initializer
from kmul._branches import merge_masks
from kmul._branches import parted_initializer
from kmul._validation import check_boolean


class KernelLayer(keras.layers.Layer):
    """A layer whose kernels are all made alike, and so are its biases.

    The base of the layers here that own several kernels. Each kernel gets a
    copy of the initializer with a seed of its own, so that no two of them
    start equal.

    Args:
        use_bias: Boolean, whether the layer has biases.
        kernel_initializer: Initializer of all kernels.
        bias_initializer: Initializer of all biases.
        kernel_regularizer: Regularizer of all kernels.
        bias_regularizer: Regularizer of all biases.
        kernel_constraint: Constraint on all kernels.
        bias_constraint: Constraint on all biases.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.
    """

    def __init__(
        self,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        use_bias = check_boolean("use_bias", use_bias)
        super().__init__(**kwargs)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.supports_masking = True

    def add_kernel(self, name, shape, parts=1):
        """Adds a kernel, or `parts` of them side by side in the last axis."""
        initializer = branch_initializer(
            self.kernel_initializer, len(self.weights)
        )
        if parts > 1:
            initializer = parted_initializer(initializer, parts)
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def add_bias(self, name, units, parts=1):
        """Adds a bias, `None` if the layer has none."""
        if not self.use_bias:
            return None
        initializer = branch_initializer(
            self.bias_initializer, len(self.weights)
        )
        if parts > 1:
            initializer = parted_initializer(initializer, parts)
        return self.add_weight(
            name=name,
            shape=(units,),
            initializer=initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def add_linear(self, name, width, units, parts=1):
        """Adds the kernel and the bias of a linear layer."""
        return (
            self.add_kernel(f"{name}_kernel", (width, units), parts),
            self.add_bias(f"{name}_bias", units, parts),
        )

    def compute_mask(self, inputs, mask=None):
        return merge_masks(mask)

    def get_config(self):
        return {
            **super().get_config(),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
            "bias_initializer": keras.initializers.serialize(
                self.bias_initializer
            ),
            "kernel_regularizer": keras.regularizers.serialize(
                self.kernel_regularizer
            ),
            "bias_regularizer": keras.regularizers.serialize(
                self.bias_regularizer
            ),
            "kernel_constraint": keras.constraints.serialize(
                self.kernel_constraint
            ),
            "bias_constraint": keras.constraints.serialize(
                self.bias_constraint
            ),
        }
