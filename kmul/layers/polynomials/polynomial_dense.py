import keras
from keras import ops

from kmul._contractions import linear
from kmul._inputs import fixed_width
from kmul._inputs import receive
from kmul._sums import add
from kmul._validation import check_choice
from kmul._validation import check_positive_integer
from kmul._validation import check_shape
from kmul.layers._kernel_layer import KernelLayer

FORMS = ("ccp", "ncp", "ncp_skip")


@keras.saving.register_keras_serializable(package="kmul")
class PolynomialDense(KernelLayer):
    """A polynomial of the input of any degree, in factored form (Π-net).

    ```
    ccp        x_1 = U_1 z              x_n = (U_n z)∘x_{n−1} + x_{n−1}
    ncp        x_1 = (A_1 z)∘b_1        x_n = (A_n z)∘(S_n x_{n−1} + b_n)
    ncp_skip   x_1 = (A_1 z)∘b_1        x_n = (A_n z)∘(S_n x_{n−1} + b_n)
                                              + V_n x_{n−1}

    y = C x_N + β
    ```

    with N the `degree`, and `b_n` for the product `B_n b_n` of the paper,
    which is one vector.

    Args:
        units: Positive integer, the size of the output's last axis.
        degree: Positive integer, the degree of the polynomial.
        form: One of `"ccp"`, `"ncp"`, `"ncp_skip"`.
        hidden_units: Positive integer, the width of x_n: the rank of the
            factorization.
        use_bias: Boolean, whether there is a bias β.
        kernel_initializer: Initializer of all kernels.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of all kernels.
        bias_regularizer: Regularizer of the bias.
        kernel_constraint: Constraint on all kernels.
        bias_constraint: Constraint on the bias.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, ..., features)`.

    Input shape:
        `(batch, ..., features)`, of rank 2 or more.

    Output shape:
        `(batch, ..., units)`.

    Weights, in this order, kernels being transposes of the paper's matrices:
    `factor_kernel` (features, degree · hidden_units), which is U_1, ..., U_N or
    A_1, ..., A_N side by side; for ncp and ncp_skip `offset_n` b_n
    (hidden_units,) for n = 1, ..., N, which start at one, `state_kernel_n` S_n
    (hidden_units, hidden_units) for n = 2, ..., N, and for ncp_skip
    `skip_kernel_n` V_n of the same shape for n = 2, ..., N; finally
    `output_kernel` C (hidden_units, units) and `bias` β (units,).

    Masking: the mask of the input is passed on.

    Example:

    ```python
    x = keras.Input((128,))
    y = kmul.layers.PolynomialDense(10, degree=3)(x)
    ```

    Reference:
        - [Π-nets: Deep Polynomial Neural Networks (Chrysos et al., 2020)](
          https://arxiv.org/abs/2003.03828)
    """

    def __init__(
        self,
        units,
        degree=2,
        form="ccp",
        hidden_units=256,
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
        degree = check_positive_integer("degree", degree)
        check_choice("form", form, FORMS)
        hidden_units = check_positive_integer("hidden_units", hidden_units)
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
        self.degree = degree
        self.form = form
        self.hidden_units = hidden_units

    def build(self, input_shape):
        width = check_shape("PolynomialDense", input_shape)[-1]
        self.input_spec = fixed_width(input_shape)
        hidden = self.hidden_units
        self.factor_kernel = self.add_kernel(
            "factor_kernel", (width, self.degree * hidden), self.degree
        )
        later = range(2, self.degree + 1)
        self.offsets, self.state_kernels, self.skip_kernels = [], [], []
        if self.form != "ccp":
            self.offsets = [
                self.add_weight(
                    name=f"offset_{n}", shape=(hidden,), initializer="ones"
                )
                for n in (1, *later)
            ]
            self.state_kernels = [
                self.add_kernel(f"state_kernel_{n}", (hidden, hidden))
                for n in later
            ]
        if self.form == "ncp_skip":
            self.skip_kernels = [
                self.add_kernel(f"skip_kernel_{n}", (hidden, hidden))
                for n in later
            ]
        self.output_kernel = self.add_kernel(
            "output_kernel", (hidden, self.units)
        )
        self.bias = self.add_bias("bias", self.units)

    def call(self, inputs):
        """Returns a polynomial of each sample.

        Args:
            inputs: Tensor of shape `(batch, ..., features)`.

        Returns:
            Tensor of shape `(batch, ..., units)`.
        """
        factors = ops.matmul(receive(self, inputs), self.factor_kernel)
        state, *factors = ops.split(factors, self.degree, -1)
        if self.form != "ccp":
            state = ops.multiply(state, self.offsets[0])
        for n, factor in enumerate(factors):
            state = self._raise_degree(n, factor, state)
        return linear(state, self.output_kernel, self.bias)

    def _raise_degree(self, n, factor, state):
        if self.form == "ccp":
            return add(ops.multiply(factor, state), state)
        raised = linear(state, self.state_kernels[n], self.offsets[n + 1])
        raised = ops.multiply(factor, raised)
        if self.form == "ncp_skip":
            raised = add(raised, ops.matmul(state, self.skip_kernels[n]))
        return raised

    def compute_output_shape(self, input_shape):
        return (*check_shape("PolynomialDense", input_shape)[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "degree": self.degree,
            "form": self.form,
            "hidden_units": self.hidden_units,
        }
