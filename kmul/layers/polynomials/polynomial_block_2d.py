import keras
from keras import ops

from kmul._branches import branch_initializer
from kmul._inputs import fixed_channels
from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_boolean
from kmul._validation import check_choice
from kmul._validation import check_data_format
from kmul._validation import check_positive_integer

FORMS = ("pdc", "regularized")


@keras.saving.register_keras_serializable(package="kmul")
class PolynomialBlock2D(keras.layers.Layer):
    """A residual block of convolutions with a product of second degree.

    ```
    pdc           y = F(x) + s(x) + u₁(s(x))∘u₂(s(x))
    regularized   y = F(x) + s(x) + α L(F(x)∘s(x))      α starts at 0
    ```

    then `activation`. F is convolution, normalization, `activation`,
    convolution, normalization; s the identity or, where the shape changes, a
    1×1 convolution and normalization; u₁, u₂ are convolutions of
    `kernel_size`, L is a 1×1 convolution and normalization. No convolution has
    a bias. The first is the block of PDC, the second of R-PolyNets, which
    starts as a plain residual block.

    Args:
        filters: Positive integer, the number of output channels.
        kernel_size: Positive integer, of the convolutions in F, u₁ and u₂.
        strides: Positive integer, of F's first convolution and of s.
        form: `"pdc"` or `"regularized"`.
        activation: Activation in F and of the output, none by default: the
            block is then a polynomial.
        normalization: Boolean, whether there is batch normalization.
        normalize_product: Boolean, whether L has it as well, which needs
            `normalization`. For the form `"regularized"`.
        use_alpha: Boolean, whether there is an α, else L is not scaled. For
            the form `"regularized"`.
        alpha_initializer: Initializer of α.
        kernel_initializer: Initializer of all kernels.
        kernel_regularizer: Regularizer of all kernels.
        kernel_constraint: Constraint on all kernels.
        data_format: `"channels_last"` or `"channels_first"`, the image data
            format of the Keras configuration by default.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.
        training: Boolean, for the normalization.

    Input shape:
        `(batch, height, width, channels)`, or `(batch, channels, height,
        width)` for channels first.

    Output shape:
        As the input's, with `filters` channels and height and width divided by
        `strides`, rounded up.

    Weights: the kernels `kernel_1`, `kernel_2` (conv1, conv2 of the original);
    if the shape changes `shortcut_kernel` (shortcut.0); then `factor_kernel_1`
    and `factor_kernel_2` (u_conv1, u_conv2), or `product_kernel` (lconv0) and
    `alpha` (1,). After them the weights of the sublayers `normalization_1`,
    `normalization_2` (bn1, bn2), `shortcut_normalization` (shortcut.1) and
    `product_normalization` (lbn0). The original's kernels (out, in, height,
    width) are transposed to (height, width, in, out). With `strides` above one
    and odd kernels Keras pads even sizes at the end only, PyTorch on both
    sides. All stages of R-PolyNets but the last have a mix of instance and
    batch normalization in place of `normalization_1`.

    Example:

    ```python
    x = keras.Input((32, 32, 16))
    y = kmul.layers.PolynomialBlock2D(32, strides=2)(x)  # (batch, 16, 16, 32)
    ```

    Reference:
        - [Augmenting Deep Classifiers with Polynomial Neural Networks (Chrysos
          et al., 2022)](https://arxiv.org/abs/2104.07916)
        - [Regularization of polynomial networks for image recognition (Chrysos
          et al., 2023)](https://arxiv.org/abs/2303.13896)
    """

    def __init__(
        self,
        filters,
        kernel_size=3,
        strides=1,
        form="pdc",
        activation=None,
        normalization=True,
        normalize_product=True,
        use_alpha=True,
        alpha_initializer="zeros",
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        data_format=None,
        **kwargs,
    ):
        filters = check_positive_integer("filters", filters)
        kernel_size = check_positive_integer("kernel_size", kernel_size)
        strides = check_positive_integer("strides", strides)
        check_choice("form", form, FORMS)
        normalization = check_boolean("normalization", normalization)
        normalize_product = check_boolean(
            "normalize_product", normalize_product
        )
        use_alpha = check_boolean("use_alpha", use_alpha)
        data_format = check_data_format(data_format)
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.form = form
        self.activation = keras.activations.get(activation)
        self.normalization = normalization
        self.normalize_product = normalize_product
        self.use_alpha = use_alpha
        self.alpha_initializer = keras.initializers.get(alpha_initializer)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.data_format = data_format

    def build(self, input_shape):
        channels = self._check_shape(input_shape)
        self.input_spec = fixed_channels(input_shape, self._channel_axis())
        shape = self.compute_output_shape(input_shape)
        size, filters = self.kernel_size, self.filters
        self.kernel_1 = self._add_kernel("kernel_1", size, channels)
        self.normalization_1 = self._normalization("normalization_1", shape)
        self.kernel_2 = self._add_kernel("kernel_2", size, filters)
        self.normalization_2 = self._normalization("normalization_2", shape)
        self.shortcut_kernel = None
        if self.strides != 1 or channels != filters:
            self.shortcut_kernel = self._add_kernel(
                "shortcut_kernel", 1, channels
            )
            self.shortcut_normalization = self._normalization(
                "shortcut_normalization", shape
            )
        if self.form == "pdc":
            self.factor_kernels = [
                self._add_kernel(f"factor_kernel_{i}", size, filters)
                for i in (1, 2)
            ]
        else:
            self.product_kernel = self._add_kernel("product_kernel", 1, filters)
            if self.use_alpha:
                self.alpha = self.add_weight(
                    name="alpha", shape=(1,), initializer=self.alpha_initializer
                )
            if self.normalize_product:
                self.product_normalization = self._normalization(
                    "product_normalization", shape
                )

    def call(self, inputs, training=None):
        """Returns a residual block's output, plus its products.

        Args:
            inputs: Tensor of shape `(batch, height, width, channels)`, or
                `(batch, channels, height, width)` for channels first.
            training: Boolean, whether the normalization uses the batch's own
                mean and variance.

        Returns:
            Tensor of the shape of `inputs`, with `filters` channels, and
            height and width divided by `strides`, rounded up.
        """
        inputs = receive(self, inputs)
        outputs = self._convolve(inputs, self.kernel_1, self.strides)
        if self.normalization:
            outputs = self.normalization_1(outputs, training=training)
        outputs = self._convolve(self.activation(outputs), self.kernel_2)
        if self.normalization:
            outputs = self.normalization_2(outputs, training=training)
        shortcut = self._shortcut(inputs, training)
        if self.form == "pdc":
            first, second = self.factor_kernels
            product = ops.multiply(
                self._convolve(shortcut, first),
                self._convolve(shortcut, second),
            )
        else:
            product = self._scaled_product(outputs, shortcut, training)
        outputs = add(add(outputs, shortcut), product)
        return self.activation(outputs)

    def _scaled_product(self, outputs, shortcut, training):
        product = ops.multiply(outputs, shortcut)
        product = self._convolve(product, self.product_kernel)
        if self.normalization and self.normalize_product:
            product = self.product_normalization(product, training=training)
        if self.use_alpha:
            alpha = ops.cast(self.alpha, self.compute_dtype)
            product = ops.multiply(alpha, product)
        return product

    def _shortcut(self, inputs, training):
        if self.shortcut_kernel is None:
            return inputs
        outputs = self._convolve(inputs, self.shortcut_kernel, self.strides)
        if self.normalization:
            outputs = self.shortcut_normalization(outputs, training=training)
        return outputs

    def _convolve(self, inputs, kernel, strides=1):
        kernel = ops.cast(kernel, self.compute_dtype)
        return ops.conv(inputs, kernel, strides, "same", self.data_format)

    def compute_output_shape(self, input_shape):
        self._check_shape(input_shape)
        shape = list(input_shape)
        channels = self._channel_axis()
        for axis in range(1, 4):
            if axis == channels:
                shape[axis] = self.filters
            elif shape[axis] is not None:
                shape[axis] = -(-shape[axis] // self.strides)
        return tuple(shape)

    def _check_shape(self, shape):
        """Returns the number of channels."""
        if len(shape) != 4 or shape[self._channel_axis()] is None:
            raise ValueError(
                "`PolynomialBlock2D` should be called on inputs of rank 4 with "
                f"a defined channel axis, {self.data_format}. "
                f"Received: input_shape={tuple(shape)}"
            )
        return shape[self._channel_axis()]

    def _channel_axis(self):
        return 3 if self.data_format == "channels_last" else 1

    def _add_kernel(self, name, size, channels):
        return self.add_weight(
            name=name,
            shape=(size, size, channels, self.filters),
            initializer=branch_initializer(
                self.kernel_initializer, len(self.weights)
            ),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def _normalization(self, name, shape):
        """Returns a built layer, or `None` where there is to be none."""
        if not self.normalization:
            return None
        normalization = keras.layers.BatchNormalization(
            axis=self._channel_axis(),
            momentum=0.9,
            epsilon=1e-5,
            dtype=self.dtype_policy,
            name=name,
        )
        normalization.build(shape)
        return normalization

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "form": self.form,
            "activation": keras.activations.serialize(self.activation),
            "normalization": self.normalization,
            "normalize_product": self.normalize_product,
            "use_alpha": self.use_alpha,
            "alpha_initializer": keras.initializers.serialize(
                self.alpha_initializer
            ),
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
            "kernel_regularizer": keras.regularizers.serialize(
                self.kernel_regularizer
            ),
            "kernel_constraint": keras.constraints.serialize(
                self.kernel_constraint
            ),
            "data_format": self.data_format,
        }

    @classmethod
    def from_config(cls, config):
        # Files written before the argument existed have no such weights.
        return super().from_config({"normalize_product": False, **config})
