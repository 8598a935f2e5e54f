import keras

from kmul._branches import parted_initializer
from kmul._validation import check_boolean
from kmul._validation import check_choice
from kmul._validation import check_data_format
from kmul._validation import check_each_positive
from kmul._validation import check_positive_integer


class ConvolutionLayer(keras.layers.Layer):
    """A layer around a convolution, whose arguments it takes.

    Args:
        parts: Positive integer, the number of convolutions that are computed
            as one, each with `filters` output channels. Their kernels lie side
            by side in the last axis.
        The others are those of `keras.layers.Conv2D`.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        parts=1,
        **kwargs,
    ):
        filters = check_positive_integer("filters", filters)
        kernel_size = check_each_positive("kernel_size", kernel_size, 2)
        strides = check_each_positive("strides", strides, 2)
        check_choice("padding", padding, ("valid", "same"))
        data_format = check_data_format(data_format)
        dilation_rate = check_each_positive("dilation_rate", dilation_rate, 2)
        groups = check_positive_integer("groups", groups)
        use_bias = check_boolean("use_bias", use_bias)
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = tuple(kernel_size)
        self.strides = tuple(strides)
        self.padding = padding
        self.data_format = data_format
        self.dilation_rate = tuple(dilation_rate)
        self.groups = groups
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.channel_axis = 3 if data_format == "channels_last" else 1
        self.convolution = keras.layers.Conv2D(
            parts * filters,
            self.kernel_size,
            strides=self.strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=self.dilation_rate,
            groups=groups,
            use_bias=use_bias,
            kernel_initializer=parted_initializer(
                self.kernel_initializer, parts
            ),
            bias_initializer=parted_initializer(self.bias_initializer, parts),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype_policy,
            name="convolution",
        )

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": keras.activations.serialize(self.activation),
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
