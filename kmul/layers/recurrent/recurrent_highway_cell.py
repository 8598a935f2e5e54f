import keras
from keras import ops

from kmul._contractions import linear
from kmul._sums import add
from kmul._validation import check_number
from kmul._validation import check_positive_integer
from kmul.layers.recurrent._base import RecurrentCell


@keras.saving.register_keras_serializable(package="kmul")
class RecurrentHighwayCell(RecurrentCell):
    """A cell that takes each step through several highway layers.

    ```
    [h_l, t_l] = s_{l−1} R_l + b_l    and + x W in the first layer
    s_l = t ∘ act(h_l) + (1 − t) ∘ s_{l−1}    t = σ(t_l)
    ```

    s_0 is the state, s_L the output and the next state. The gate that carries
    the state is coupled to the one that transforms it, as in the paper's best
    models. Where x has little to say, the state stays as it was, which lets
    the gradient through L layers a step.

    Args:
        units: Positive integer, the size of the output and of the state.
        num_layers: Positive integer, L, the number of layers a step.
        activation: Activation of h_l.
        recurrent_activation: Activation of the gates t_l.
        transform_bias: Number, where the parts of the biases for t_l start;
            below 0, most of the state is carried at first.
        use_bias: Boolean, whether there are the biases b_l.
        kernel_initializer: Initializer of W.
        recurrent_initializer: Initializer of R_l.
        bias_initializer: Initializer of the parts of b_l for h_l.
        kernel_regularizer: Regularizer of W.
        recurrent_regularizer: Regularizer of R_l.
        bias_regularizer: Regularizer of b_l.
        kernel_constraint: Constraint on W.
        recurrent_constraint: Constraint on R_l.
        bias_constraint: Constraint on b_l.
        dropout: Number in [0, 1), how much of x is dropped in training.
        recurrent_dropout: Number in [0, 1), how much of s_{l−1} is dropped in
            R_l's product in training, the same in all layers.
        seed: Integer, the seed of the dropout.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, features)`, one step of sequences.
        states: List of one tensor of shape `(batch, units)`.
        training: Boolean, whether to drop.

    Input shape:
        `(batch, features)`.

    Output shape:
        `(batch, units)`, and the state, which is the same.

    Weights, in this order: `kernel` W (features, 2 · units), the part of h_l
    first; then for each layer `recurrent_kernel_l` R_l (units, 2 · units) and
    `bias_l` b_l (2 · units,).

    Masking: `keras.layers.RNN` keeps the state over masked steps.

    Example:

    ```python
    x = keras.Input((None, 16))
    cell = kmul.layers.RecurrentHighwayCell(32, num_layers=5)
    y = keras.layers.RNN(cell, return_sequences=True)(x)
    ```

    Reference:
        - [Recurrent Highway Networks (Zilly et al., 2016)](
          https://arxiv.org/abs/1607.03474)
    """

    def __init__(
        self,
        units,
        num_layers=3,
        activation="tanh",
        recurrent_activation="sigmoid",
        transform_bias=-2.0,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        **kwargs,
    ):
        num_layers = check_positive_integer("num_layers", num_layers)
        transform_bias = check_number("transform_bias", transform_bias)
        super().__init__(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **kwargs,
        )
        self.num_layers = num_layers
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.transform_bias = transform_bias

    def build_weights(self, width):
        size = 2 * self.units

        def initialize_bias(shape, dtype=None):
            value, gate = ops.split(self.bias_initializer(shape, dtype), 2)
            gate = ops.full_like(gate, self.transform_bias)
            return ops.concatenate([value, gate])

        self.kernel = self.add_kernel("kernel", (width, size))
        self.highways = []
        for layer in range(1, self.num_layers + 1):
            kernel = self.add_kernel(
                f"recurrent_kernel_{layer}", (self.units, size), "recurrent"
            )
            bias = self.add_bias(size, f"bias_{layer}", initialize_bias)
            self.highways.append((kernel, bias))

    def call(self, inputs, states, training=False):
        """Returns the output of a step, and the states after it.

        Args:
            inputs: Tensor of shape `(batch, features)`.
            states: List of tensors of shape `(batch, units)`.
            training: Boolean, whether to drop.

        Returns:
            A tensor of shape `(batch, units)`, and a list like `states`.
        """
        (state,) = states
        projected = ops.matmul(self.drop_inputs(inputs, training), self.kernel)
        for kernel, bias in self.highways:
            both = linear(self.drop_state(state, training), kernel, bias)
            if projected is not None:
                both = add(both, projected)
                projected = None
            value, gate = ops.split(both, 2, -1)
            gate = self.recurrent_activation(gate)
            change = ops.subtract(self.activation(value), state)
            state = add(ops.multiply(gate, change), state)
        return state, [state]

    def get_config(self):
        return {
            **super().get_config(),
            "num_layers": self.num_layers,
            "recurrent_activation": keras.activations.serialize(
                self.recurrent_activation
            ),
            "transform_bias": self.transform_bias,
        }
