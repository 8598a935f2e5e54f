import keras
from keras import ops

from kmul._branches import branch_initializer
from kmul._contractions import linear
from kmul._inputs import receive
from kmul._sums import add
from kmul._sums import add_bias
from kmul._validation import check_choice
from kmul._validation import check_positive_integer
from kmul.layers._kernel_layer import KernelLayer
from kmul.layers.depth._layer_vectors import attention_weights
from kmul.layers.depth._layer_vectors import check_layer_shapes
from kmul.layers.depth._layer_vectors import check_widths
from kmul.layers.depth._layer_vectors import rows_of
from kmul.layers.depth._layer_vectors import scale_heads
from kmul.layers.depth._layer_vectors import shares
from kmul.layers.depth._layer_vectors import softmax
from kmul.layers.depth._layer_vectors import to_vectors
from kmul.layers.depth._layer_vectors import vector_width

MECHANISMS = ("concat", "static", "self", "recurrent")


@keras.saving.register_keras_serializable(package="kmul")
class LayerAttention(KernelLayer):
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
    `"static"` are trained and equal at the start. Those of `"self"` are the
    attention that each layer receives in a transformer's self-attention with
    the layers as tokens, averaged over the tokens that attend; `e_l` is trained
    and tells the layers apart. A transformer sums the values; this layer scales
    and concatenates them, so that no two representations are added. The LSTM
    reads the layers as a sequence; its state has `units` elements.

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
        kernel_constraint: Constraint on all kernels.
        bias_constraint: Constraint on all biases.
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
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        units = check_positive_integer("units", units)
        check_choice("mechanism", mechanism, MECHANISMS)
        if transform_units is not None:
            transform_units = check_positive_integer(
                "transform_units", transform_units
            )
        num_heads = check_positive_integer("num_heads", num_heads)
        key_dim = check_positive_integer("key_dim", key_dim)
        check_choice("pooling", pooling, (None, "avg"))
        super().__init__(
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.units = units
        self.mechanism = mechanism
        self.transform_units = transform_units
        self.transform_activation = keras.activations.get(transform_activation)
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.pooling = pooling
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        shapes = self._check_shapes(input_shape)
        self.input_spec = [self._spec(shape) for shape in shapes]
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
                initializer=rows_of(
                    initializer, sum(widths), sum(widths[:index])
                ),
                regularizer=self.kernel_regularizer,
                constraint=self.kernel_constraint,
                name=f"kernel_{index}",
            )
            for index, width in enumerate(widths)
        ]
        self.bias = self.add_bias("bias", self.units)

    def call(self, inputs, mask=None, return_attention_scores=False):
        """Returns what the layers' vectors add up to.

        Args:
            inputs: List or tuple of tensors of shape
                `(batch, ..., features_l)`, one for each layer.
            mask: List of boolean tensors of shape `(batch, ...)` or `None`,
                one for each input; or `None`.
            return_attention_scores: Boolean, whether to return the scores
                as well.

        Returns:
            Tensor of shape `(batch, units)`; or a pair of it and of the
            scores, of shape `(batch, layers)`.
        """
        vectors = self._vectors(receive(self, inputs), mask)
        parts, scores = self._parts(vectors)
        if scores is None and return_attention_scores:
            scores = self._contributions(vectors, parts)
        outputs = parts[0]
        for part in parts[1:]:
            outputs = add(outputs, part)
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
        vectors = self._vectors(receive(self, inputs), mask)
        parts, _ = self._parts(vectors)
        return self._contributions(vectors, parts)

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
        shapes = check_layer_shapes(input_shape, self.pooling)
        if self.mechanism in ("self", "recurrent"):
            widths = [self.transform_units or self._width(s) for s in shapes]
            heads = self.num_heads if self.mechanism == "self" else 1
            check_widths(self.mechanism, shapes, widths, heads)
        return shapes

    def _spec(self, shape):
        axes = range(1, len(shape)) if self.pooling is None else [-1]
        return keras.layers.InputSpec(
            ndim=len(shape), axes={axis: shape[axis] for axis in axes}
        )

    def _width(self, shape):
        return vector_width(shape, self.pooling)

    def _build_self(self, num_layers, width):
        size = self.num_heads * self.key_dim
        self.query_kernel = self.add_kernel("query_kernel", (width, size))
        self.key_kernel = self.add_kernel("key_kernel", (width, size))
        self.query_bias = self.add_weight(
            shape=(size,),
            initializer=self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
            name="query_bias",
        )
        self.layer_embedding = self.add_weight(
            shape=(num_layers, size), initializer="zeros", name="embedding"
        )

    def _vectors(self, inputs, mask):
        """One tensor of shape (batch, width) for each layer."""
        vectors = to_vectors(inputs, mask, self.pooling)
        for index, transform in enumerate(self.transforms):
            vectors[index] = transform(vectors[index])
        return vectors

    def _parts(self, vectors):
        """The summand of each layer, and the attention weights if any."""
        if self.mechanism == "static":
            weights = softmax(self.logits)
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
                    scale_heads(x, scale)
                    for x, scale in zip(vectors, scales, strict=True)
                ]
                scales = None
        else:
            scales = scores = None
        if self.mechanism == "recurrent":
            vectors = [self.lstm(ops.stack(vectors, axis=1))]
        parts = [
            ops.matmul(x, kernel)
            for x, kernel in zip(vectors, self.kernels, strict=True)
        ]
        if scales is not None:
            # A scalar for each sample, applied where there are fewer numbers.
            parts = [
                ops.multiply(part, scale)
                for part, scale in zip(parts, scales, strict=True)
            ]
        return parts, scores

    def _self_weights(self, vectors):
        """Weights of shape (batch, heads, layers)."""
        tokens = ops.stack(vectors, axis=1)
        queries = linear(tokens, self.query_kernel, self.query_bias)
        keys = add(ops.matmul(tokens, self.key_kernel), self.layer_embedding)
        return attention_weights(queries, keys, self.num_heads)

    def _contributions(self, vectors, parts):
        if self.mechanism == "recurrent":
            return self._left_out(vectors, parts[0])
        return shares(parts)

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
        return shares([outputs - left[index] for index in range(count)])

    def _dense(self, branch):
        return keras.layers.Dense(
            self.transform_units,
            activation=self.transform_activation,
            dtype=self.dtype_policy,
            name=f"transform_{branch}",
            **self._kernel_arguments(branch),
        )

    def _lstm(self, branch):
        return keras.layers.LSTM(
            self.units,
            # A handful of steps: a loop costs more than it saves.
            unroll=True,
            dtype=self.dtype_policy,
            name="lstm",
            **self._kernel_arguments(branch),
        )

    def _kernel_arguments(self, branch):
        return {
            "use_bias": self.use_bias,
            "kernel_initializer": branch_initializer(
                self.kernel_initializer, branch
            ),
            "bias_initializer": self.bias_initializer,
            "kernel_regularizer": self.kernel_regularizer,
            "bias_regularizer": self.bias_regularizer,
            "kernel_constraint": self.kernel_constraint,
            "bias_constraint": self.bias_constraint,
        }

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
        }
