import keras
from keras import ops

from kmul._branches import branch_initializer
from kmul._contractions import linear
from kmul._sums import add
from kmul._sums import add_bias
from kmul._validation import check_choice
from kmul._validation import check_positive_integer

MECHANISMS = ("concat", "static", "self", "recurrent")


@keras.saving.register_keras_serializable(package="kmul")
class LayerAttention(keras.layers.Layer):
    """Reads out any of a network's layers through attention over the layers.

    Called on the outputs `x_1, …, x_L` of the layers of a network. Each becomes
    a vector `h_l`: it is flattened (or pooled) and, with `transform_units`,
    goes through a dense layer of its own. Then, by `mechanism`:

    ```
    "concat"     y = activation([h_1; …; h_L] W + b)
    "static"     y = activation([a_1 h_1; …; a_L h_L] W + b),  a = softmax(s)
    "self"       the same with weights of each sample and head,
                 a = mean over m of softmax over l of (q_m · k_l / √key_dim),
                 q_m = h_m W_q + b_q,  k_l = h_l W_k + e_l
    "recurrent"  y = activation(LSTM(h_1, …, h_L) W + b)
    ```

    The weights of a sample are in [0, 1] and sum to 1 over the layers. Those of
    `"static"` are trained and equal at the start. Those of `"self"` are what
    each layer receives in a transformer's self-attention with the layers as
    tokens, averaged over the tokens that attend; `e_l` is trained and tells the
    layers apart. Instead of summing the values, as a transformer does, it
    scales and concatenates them, so that no two representations are added.
    The state of the LSTM, which reads the layers as a sequence, has `units`
    elements.

    The concatenation is never made: `[h_1; …; h_L] W` is computed as
    `h_1 W_1 + … + h_L W_L`, which is faster.

    Args:
        units: Positive integer, the size of the output.
        mechanism: `"concat"`, `"static"`, `"self"` or `"recurrent"`.
        transform_units: Positive integer, the width of a dense layer that each
            output goes through first, or `None` for no such layer. `"self"` and
            `"recurrent"` need one where the widths of the vectors differ.
        transform_activation: Activation of those dense layers.
        num_heads: Positive integer, the number of heads of `"self"`. It divides
            the width of the vectors: each head weights its part of them.
        key_dim: Positive integer, the size of the queries and keys of each
            head of `"self"`.
        pooling: How an output with axes between the first and the last becomes
            a vector. `None` flattens it, which keeps the position of
            everything in it. `"avg"` averages it over these axes, which keeps
            the features alone, and is the choice where sizes are unknown.
        activation: Activation of the output, none by default.
        use_bias: Boolean, whether the dense layers have biases.
        kernel_initializer: Initializer of all kernels. Each kernel gets a
            copy of its own with a seed of its own. That of the contraction
            `W` sees the shape of the concatenation.
        bias_initializer: Initializer of all biases.
        kernel_regularizer: Regularizer of all kernels.
        bias_regularizer: Regularizer of all biases.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: List or tuple of tensors of shape `(batch, ..., features)`,
            whose ranks and sizes may differ.
        return_attention_scores: Boolean, whether to return `(output, scores)`,
            the scores of shape `(batch, layers)` summing to 1 over the layers.
            They are the weights `a` (those of `"self"` averaged over the
            heads). `"concat"` and `"recurrent"` have none and give their
            `contributions`.

    Input shape:
        List of `(batch, ..., features_l)`, of rank 2 or more. All but the batch
        is known, or with `pooling="avg"` the last axis.

    Output shape:
        `(batch, units)`.

    Masking: masked positions of an input count as zeros, or are left out of the
    average. The output, a vector for each sample, has no mask.

    Example:

    ```python
    image = keras.Input((20, 20, 1))
    x1 = keras.layers.Conv2D(8, 3, activation="relu")(image)
    x2 = keras.layers.Conv2D(16, 3, strides=2, activation="relu")(x1)
    y = kmul.layers.LayerAttention(32, "static")([x1, x2])  # (batch, 32)
    ```

    Reference:
        - Layer-Attended Convolutional Networks (Bird, 2022)
        - [Attention Is All You Need (Vaswani et al., 2017)](
          https://arxiv.org/abs/1706.03762)
    """

    def __init__(
        self,
        units,
        mechanism="static",
        transform_units=None,
        transform_activation="relu",
        num_heads=1,
        key_dim=32,
        pooling=None,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        **kwargs,
    ):
        check_positive_integer("units", units)
        check_choice("mechanism", mechanism, MECHANISMS)
        if transform_units is not None:
            check_positive_integer("transform_units", transform_units)
        check_positive_integer("num_heads", num_heads)
        check_positive_integer("key_dim", key_dim)
        check_choice("pooling", pooling, (None, "avg"))
        super().__init__(**kwargs)
        self.units = units
        self.mechanism = mechanism
        self.transform_units = transform_units
        self.transform_activation = keras.activations.get(transform_activation)
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.pooling = pooling
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.supports_masking = True

    def build(self, input_shape):
        shapes = self._check_shapes(input_shape)
        widths = [self._width(shape) for shape in shapes]
        self.transforms = []
        if self.transform_units is not None:
            for index, width in enumerate(widths):
                transform = self._dense(index)
                transform.build((None, width))
                self.transforms.append(transform)
            widths = [self.transform_units] * len(widths)
        if self.mechanism == "static":
            self.logits = self.add_weight(
                shape=(len(widths),), initializer="zeros", name="logits"
            )
        elif self.mechanism == "self":
            self._build_self(len(widths), widths[0])
        elif self.mechanism == "recurrent":
            self.lstm = self._lstm(len(widths))
            self.lstm.build((None, len(widths), widths[0]))
            widths = [self.units]
        initializer = branch_initializer(
            self.kernel_initializer, 2 * len(shapes) + 2
        )
        self.kernels = [
            self.add_weight(
                shape=(width, self.units),
                initializer=_rows(
                    initializer, sum(widths), sum(widths[:index])
                ),
                regularizer=self.kernel_regularizer,
                name=f"kernel_{index}",
            )
            for index, width in enumerate(widths)
        ]
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                name="bias",
            )

    def call(self, inputs, mask=None, return_attention_scores=False):
        vectors = self._vectors(inputs, mask)
        if self.mechanism == "recurrent":
            state = self.lstm(ops.stack(vectors, axis=1))
            outputs = ops.matmul(state, self.kernels[0])
            if return_attention_scores:
                scores = self._left_out(vectors, outputs)
        else:
            parts, scores = self._parts(vectors)
            outputs = sum(parts[1:], parts[0])
            if scores is None and return_attention_scores:
                scores = _shares(parts)
        outputs = self.activation(add_bias(outputs, self.bias))
        if return_attention_scores:
            return outputs, ops.cast(scores, self.compute_dtype)
        return outputs

    def contributions(self, inputs, mask=None):
        """How much of the output comes from each layer, of any mechanism.

        The contribution of a layer is the length of the change of the output,
        before the bias and the activation, when zeros take the place of the
        layer's vector `a_l h_l` (with `"recurrent"` of `h_l`), the weights of
        the other layers staying as they are. It is divided by the sum over
        the layers.

        Args:
            inputs: List of tensors, as in a call.
            mask: None or a list of masks, as in a call.

        Returns:
            Tensor of shape `(batch, layers)`, summing to 1 over the layers,
            equal for all layers where none contributes.
        """
        inputs = [
            ops.convert_to_tensor(x, dtype=self.compute_dtype) for x in inputs
        ]
        if not self.built:
            self.build([x.shape for x in inputs])
        vectors = self._vectors(inputs, mask)
        if self.mechanism == "recurrent":
            state = self.lstm(ops.stack(vectors, axis=1))
            return self._left_out(vectors, ops.matmul(state, self.kernels[0]))
        return _shares(self._parts(vectors)[0])

    def compute_output_shape(self, input_shape):
        shapes = self._check_shapes(input_shape)
        return (shapes[0][0], self.units)

    def compute_output_spec(
        self, inputs, mask=None, return_attention_scores=False
    ):
        shape = self.compute_output_shape([x.shape for x in inputs])
        outputs = keras.KerasTensor(shape, dtype=self.compute_dtype)
        if return_attention_scores:
            scores = keras.KerasTensor(
                (shape[0], len(inputs)), dtype=self.compute_dtype
            )
            return outputs, scores
        return outputs

    def compute_mask(self, inputs, mask=None):
        return None

    def _check_shapes(self, input_shape):
        if (
            not isinstance(input_shape, (tuple, list))
            or not input_shape
            or not all(isinstance(each, (tuple, list)) for each in input_shape)
        ):
            raise ValueError(
                "`LayerAttention` should be called on a list or tuple of "
                "tensors, one for each layer. Received: "
                f"input_shape={input_shape}"
            )
        shapes = [tuple(shape) for shape in input_shape]
        for shape in shapes:
            if len(shape) < 2:
                raise ValueError(
                    "`LayerAttention` should be called on tensors of rank 2 "
                    "or more, (batch, ..., features). Received: "
                    f"input_shape={shapes}"
                )
            if shape[-1] is None or (
                self.pooling is None and None in shape[1:]
            ):
                raise ValueError(
                    "All axes but the first of the inputs of `LayerAttention` "
                    'should be defined, or with `pooling="avg"` the last one. '
                    f"Received: input_shape={shapes}, pooling={self.pooling!r}"
                )
        batches = {shape[0] for shape in shapes} - {None}
        if len(batches) > 1:
            raise ValueError(
                "All inputs of `LayerAttention` should have the same batch "
                f"size. Received: input_shape={shapes}"
            )
        self._check_widths(shapes)
        return shapes

    def _check_widths(self, shapes):
        if self.mechanism not in ("self", "recurrent"):
            return
        widths = [self.transform_units or self._width(s) for s in shapes]
        if len(set(widths)) > 1:
            raise ValueError(
                f'`LayerAttention` with mechanism="{self.mechanism}" needs '
                "vectors of one width: set `transform_units`. Received: "
                f"input_shape={shapes}, of widths {widths}"
            )
        if self.mechanism == "self" and widths[0] % self.num_heads:
            raise ValueError(
                "Argument `num_heads` of `LayerAttention` should divide the "
                f"width of the vectors. Received: num_heads={self.num_heads}, "
                f"width={widths[0]}"
            )

    def _width(self, shape):
        """The size of the vector that an output of this shape becomes."""
        width = shape[-1]
        if self.pooling is None:
            for size in shape[1:-1]:
                width *= size
        return width

    def _build_self(self, num_layers, width):
        size = self.num_heads * self.key_dim
        for branch, name in enumerate(("query_kernel", "key_kernel")):
            weight = self.add_weight(
                shape=(width, size),
                initializer=branch_initializer(
                    self.kernel_initializer, num_layers + branch
                ),
                regularizer=self.kernel_regularizer,
                name=name,
            )
            setattr(self, name, weight)
        self.query_bias = self.add_weight(
            shape=(size,),
            initializer=self.bias_initializer,
            regularizer=self.bias_regularizer,
            name="query_bias",
        )
        self.layer_embedding = self.add_weight(
            shape=(num_layers, size), initializer="zeros", name="embedding"
        )

    def _vectors(self, inputs, mask):
        """One tensor of shape (batch, width) for each layer."""
        masks = mask if mask is not None else [None] * len(inputs)
        vectors = [
            self._vector(x, mask) for x, mask in zip(inputs, masks, strict=True)
        ]
        if self.transforms:
            return [
                transform(x)
                for transform, x in zip(self.transforms, vectors, strict=True)
            ]
        return vectors

    def _vector(self, x, mask):
        if mask is not None:
            missing = len(x.shape) - len(mask.shape)
            mask = ops.reshape(mask, (*ops.shape(mask), *[1] * missing))
            x = ops.where(mask, x, ops.zeros_like(x))
        if len(x.shape) == 2:
            return x
        if self.pooling is None:
            return ops.reshape(x, (-1, self._width(x.shape)))
        axes = tuple(range(1, len(x.shape) - 1))
        mean = ops.mean(x, axis=axes)
        if mask is None:
            return mean
        kept = ops.cast(
            ops.logical_and(mask, ops.ones_like(x[..., :1], dtype="bool")),
            x.dtype,
        )
        share = ops.mean(kept, axis=axes)
        return ops.where(share > 0, mean / ops.where(share > 0, share, 1), 0)

    def _parts(self, vectors):
        """What each layer adds to the output, and the weights if any."""
        if self.mechanism == "static":
            weights = _softmax(self.logits)
            scores = ops.broadcast_to(
                weights, (ops.shape(vectors[0])[0], len(vectors))
            )
            scales = [weights[index] for index in range(len(vectors))]
        elif self.mechanism == "self":
            weights = self._self_weights(vectors)
            scores = ops.mean(weights, axis=1)
            scales = [weights[:, :, index] for index in range(len(vectors))]
            if self.num_heads > 1:
                vectors = [
                    self._scale_heads(x, scale)
                    for x, scale in zip(vectors, scales, strict=True)
                ]
                scales = None
        else:
            scales = scores = None
        parts = [
            ops.matmul(x, kernel)
            for x, kernel in zip(vectors, self.kernels, strict=True)
        ]
        if scales is not None:
            # A scalar for each sample, applied where there are fewer numbers.
            parts = [
                part * scale for part, scale in zip(parts, scales, strict=True)
            ]
        return parts, scores

    def _self_weights(self, vectors):
        """Weights of shape (batch, heads, layers)."""
        tokens = ops.stack(vectors, axis=1)
        queries = linear(tokens, self.query_kernel, self.query_bias)
        keys = add(ops.matmul(tokens, self.key_kernel), self.layer_embedding)
        split = (-1, len(vectors), self.num_heads, self.key_dim)
        logits = ops.einsum(
            "bmhd,blhd->bhml",
            ops.reshape(queries, split) / self.key_dim**0.5,
            ops.reshape(keys, split),
        )
        return ops.mean(_softmax(logits), axis=2)

    def _scale_heads(self, x, scale):
        parts = ops.reshape(
            x, (-1, self.num_heads, x.shape[-1] // self.num_heads)
        )
        return ops.reshape(parts * scale[:, :, None], (-1, x.shape[-1]))

    def _left_out(self, vectors, outputs):
        """Contributions to the LSTM's output, one layer left out at a time."""
        count, width = len(vectors), vectors[0].shape[-1]
        sequence = ops.stack(vectors, axis=1)
        kept = ops.cast(1 - ops.eye(count), sequence.dtype)
        # All of them as one batch, the LSTM being called once.
        sequences = sequence[None] * kept[:, None, :, None]
        states = self.lstm(ops.reshape(sequences, (-1, count, width)))
        left = ops.matmul(states, self.kernels[0])
        left = ops.reshape(left, (count, -1, self.units))
        return _shares([outputs - left[index] for index in range(count)])

    def _dense(self, branch):
        return keras.layers.Dense(
            self.transform_units,
            activation=self.transform_activation,
            use_bias=self.use_bias,
            kernel_initializer=branch_initializer(
                self.kernel_initializer, branch
            ),
            bias_initializer=self.bias_initializer,
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            dtype=self.dtype_policy,
            name=f"transform_{branch}",
        )

    def _lstm(self, num_layers):
        return keras.layers.LSTM(
            self.units,
            use_bias=self.use_bias,
            kernel_initializer=branch_initializer(
                self.kernel_initializer, num_layers
            ),
            bias_initializer=self.bias_initializer,
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            # A handful of steps: a loop costs more than it saves.
            unroll=True,
            dtype=self.dtype_policy,
            name="lstm",
        )

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "mechanism": self.mechanism,
            "transform_units": self.transform_units,
            "transform_activation": keras.activations.serialize(
                self.transform_activation
            ),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "pooling": self.pooling,
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
        }


def _rows(initializer, total, start):
    """An initializer that gives rows of what `initializer` gives for `total`.

    The kernel of a contraction is kept in parts, one for each layer; its
    initial values should be those of the whole.
    """

    def initialize(shape, dtype=None):
        whole = initializer((total, *shape[1:]), dtype=dtype)
        return whole[start : start + shape[0]]

    return initialize


def _softmax(logits):
    """The softmax over the last axis, also of a single layer.

    Keras warns of a softmax over one element as a likely mistake.
    """
    if logits.shape[-1] == 1:
        return ops.ones_like(logits)
    return ops.softmax(logits, axis=-1)


def _shares(parts):
    """Lengths of the parts, divided by their sum: (batch, len(parts))."""
    parts = ops.cast(ops.stack(parts, axis=1), "float32")
    # The small number keeps the gradient and the division finite at 0.
    lengths = ops.sqrt(ops.sum(ops.square(parts), axis=-1) + 1e-14)
    return lengths / ops.sum(lengths, axis=-1, keepdims=True)
