import keras
from keras import ops

from kmul._contractions import linear
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_boolean
from kmul._validation import check_number
from kmul._validation import check_positive_integer
from kmul._validation import check_shape
from kmul.layers._kernel_layer import KernelLayer


@keras.saving.register_keras_serializable(package="kmul")
class BinaryMaskedDense(KernelLayer):
    """A dense layer times a binary mask that is learned: it prunes itself.

    ```
    y = act(x (W ∘ M) + b)    M_ij = 1 if S_ij > threshold else 0
    ```

    The step has no slope, so the scores S get the gradient that the mask would
    get, ∂L/∂S = ∂L/∂M (straight through). With `train_kernel=False` only the
    mask is learned, over a kernel that may be that of another task, as in the
    paper. A regularizer of the scores decides how many weights are pruned:
    `"l1"` draws all of them below the threshold that the loss doesn't keep
    above.

    Args:
        units: Positive integer, the size of the output's last axis.
        activation: Activation of the output, none by default.
        threshold: Number above which a score keeps its weight.
        train_kernel: Boolean, whether W is trained.
        use_bias: Boolean, whether there is the bias `b`.
        kernel_initializer: Initializer of W.
        bias_initializer: Initializer of `b`.
        score_initializer: Initializer of S, 0.01 everywhere by default, which
            keeps every weight.
        kernel_regularizer: Regularizer of W.
        bias_regularizer: Regularizer of `b`.
        score_regularizer: Regularizer of S.
        kernel_constraint: Constraint on W.
        bias_constraint: Constraint on `b`.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, ..., features)`.

    Input shape:
        `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order: `kernel` W (features, units), `bias` b (units,),
    `scores` S (features, units). `layer.sparsity()` is the share of weights
    that are masked now, a number in [0, 1].

    Masking: the mask of the input is passed on.

    Example:

    ```python
    layer = kmul.layers.BinaryMaskedDense(64, score_regularizer="l1")
    y = layer(keras.Input((128,)))
    layer.sparsity()  # 0.0, before training
    ```

    Reference:
        - [Piggyback: Adapting a Single Network to Multiple Tasks by Learning
          to Mask Weights (Mallya et al., 2018)](
          https://arxiv.org/abs/1801.06519)
        - [Estimating or Propagating Gradients Through Stochastic Neurons
          (Bengio et al., 2013)](https://arxiv.org/abs/1308.3432)
    """

    def __init__(
        self,
        units,
        activation=None,
        threshold=0.005,
        train_kernel=True,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        score_initializer=None,
        kernel_regularizer=None,
        bias_regularizer=None,
        score_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        units = check_positive_integer("units", units)
        threshold = check_number("threshold", threshold)
        train_kernel = check_boolean("train_kernel", train_kernel)
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
        self.activation = keras.activations.get(activation)
        self.threshold = threshold
        self.train_kernel = train_kernel
        if score_initializer is None:
            score_initializer = keras.initializers.Constant(0.01)
        self.score_initializer = keras.initializers.get(score_initializer)
        self.score_regularizer = keras.regularizers.get(score_regularizer)

    def build(self, input_shape):
        width = check_shape("BinaryMaskedDense", input_shape)[-1]
        self.input_spec = fixed_width(input_shape)
        self.kernel = self.add_kernel("kernel", (width, self.units))
        self.kernel.trainable = self.train_kernel
        self.bias = self.add_bias("bias", self.units)
        self.scores = self.add_weight(
            name="scores",
            shape=(width, self.units),
            initializer=self.score_initializer,
            regularizer=self.score_regularizer,
        )

    def call(self, inputs):
        """Returns the inputs times the weights that are kept.

        Args:
            inputs: Tensor of shape `(batch, ..., features)`.

        Returns:
            A tensor of shape `(batch, ..., units)`.
        """
        inputs = receive(self, inputs)
        kernel = ops.multiply(self.kernel, self._mask())
        # Zero, with the slope of the kernel.
        scores = ops.convert_to_tensor(self.scores)
        zero = ops.subtract(scores, ops.stop_gradient(scores))
        slope = ops.stop_gradient(ops.convert_to_tensor(self.kernel))
        kernel = add(kernel, ops.multiply(slope, zero))
        return self.activation(linear(inputs, kernel, self.bias))

    def sparsity(self):
        """Returns the share of weights that are masked, a Python number."""
        if not self.built:
            raise ValueError(
                "A `BinaryMaskedDense` has no weights until it is called or "
                "built. Expected `sparsity` to be asked after that."
            )
        kept = ops.cast(self._mask(), "float32")
        return 1 - float(ops.convert_to_numpy(ops.mean(kept)))

    def _mask(self):
        scores = ops.convert_to_tensor(self.scores)
        return ops.cast(ops.greater(scores, self.threshold), scores.dtype)

    def compute_output_shape(self, input_shape):
        shape = check_shape("BinaryMaskedDense", input_shape)
        return (*shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "threshold": self.threshold,
            "train_kernel": self.train_kernel,
            "score_initializer": keras.initializers.serialize(
                self.score_initializer
            ),
            "score_regularizer": keras.regularizers.serialize(
                self.score_regularizer
            ),
        }
