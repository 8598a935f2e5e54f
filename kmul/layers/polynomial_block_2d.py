import keras
from keras import ops

from kmul._branches import branch_initializer
from kmul._validation import check_choice
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
    `kernel_size`, L a 1×1 convolution, all without bias. The first is the
    block of PDC, the second of R-PolyNets, which starts as a plain residual
    block.

    Args:
        filters: Positive integer, the number of output channels.
        kernel_size: Positive integer, of the convolutions in F, u₁ and u₂.
        strides: Positive integer, of F's first convolution and of s.
        form: `"pdc"` or `"regularized"`.
        activation: Activation in F and of the output, none by default: the
            block is then a polynomial.
        normalization: Boolean, whether there is batch normalization.
        alpha_initializer: Initializer of α, for the form `"regularized"`.
        kernel_initializer: Initializer of all convolutions.
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

    Weights, by sublayer: `convolution_1`, `normalization_1`, `convolution_2`,
    `normalization_2` (conv1, bn1, conv2, bn2 of the original); if the shape
    changes `shortcut` and `shortcut_normalization` (shortcut.0 and .1); then
    `factor_1` and `factor_2` (u_conv1, u_conv2), or `product` (lconv0) and
    `alpha` (1,). The original's kernels (out, in, height, width) are
    transposed to (height, width, in, out). With `strides` above one and odd
    kernels Keras pads even sizes at the end only, PyTorch on both sides.

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
        alpha_initializer="zeros",
        kernel_initializer="glorot_uniform",
        data_format=None,
        **kwargs,
    ):
        check_positive_integer("filters", filters)
        check_positive_integer("kernel_size", kernel_size)
        check_positive_integer("strides", strides)
        check_choice("form", form, FORMS)
        data_format = data_format or keras.config.image_data_format()
        check_choice(
            "data_format", data_format, ("channels_last", "channels_first")
        )
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.form = form
        self.activation = keras.activations.get(activation)
        self.normalization = normalization
        self.alpha_initializer = keras.initializers.get(alpha_initializer)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.data_format = data_format

    def build(self, input_shape):
        channels = self._check_shape(input_shape)
        size, strides = self.kernel_size, self.strides
        shape = self.compute_output_shape(input_shape)
        self._built_branches = 0
        self.residual = [
            self._convolution("convolution_1", size, strides, input_shape),
            *self._normalization("normalization_1", shape),
            self.activation,
            self._convolution("convolution_2", size, 1, shape),
            *self._normalization("normalization_2", shape),
        ]
        self.shortcut = []
        if strides != 1 or channels != self.filters:
            self.shortcut = [
                self._convolution("shortcut", 1, strides, input_shape),
                *self._normalization("shortcut_normalization", shape),
            ]
        if self.form == "pdc":
            self.factors = [
                self._convolution("factor_1", size, 1, shape),
                self._convolution("factor_2", size, 1, shape),
            ]
        else:
            self.product = self._convolution("product", 1, 1, shape)
            self.alpha = self.add_weight(
                name="alpha", shape=(1,), initializer=self.alpha_initializer
            )

    def call(self, inputs, training=None):
        outputs = self._apply(self.residual, inputs, training)
        shortcut = self._apply(self.shortcut, inputs, training)
        if self.form == "pdc":
            first, second = self.factors
            product = ops.multiply(first(shortcut), second(shortcut))
        else:
            product = self.product(ops.multiply(outputs, shortcut))
            product = ops.multiply(self.alpha, product)
        outputs = ops.add(ops.add(outputs, shortcut), product)
        return self.activation(outputs)

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

    def _convolution(self, name, size, strides, shape):
        convolution = keras.layers.Conv2D(
            self.filters,
            size,
            strides=strides,
            padding="same",
            use_bias=False,
            data_format=self.data_format,
            kernel_initializer=branch_initializer(
                self.kernel_initializer, self._built_branches
            ),
            dtype=self.dtype_policy,
            name=name,
        )
        self._built_branches += 1
        convolution.build(shape)
        return convolution

    def _normalization(self, name, shape):
        """Returns a list of it, empty where there is none."""
        if not self.normalization:
            return []
        normalization = keras.layers.BatchNormalization(
            axis=self._channel_axis(),
            momentum=0.9,
            epsilon=1e-5,
            dtype=self.dtype_policy,
            name=name,
        )
        normalization.build(shape)
        return [normalization]

    def _apply(self, steps, inputs, training):
        for step in steps:
            if isinstance(step, keras.layers.BatchNormalization):
                inputs = step(inputs, training=training)
            else:
                inputs = step(inputs)
        return inputs

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "form": self.form,
            "activation": keras.activations.serialize(self.activation),
            "normalization": self.normalization,
            "alpha_initializer": keras.initializers.serialize(
                self.alpha_initializer
            ),
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
            "data_format": self.data_format,
        }
