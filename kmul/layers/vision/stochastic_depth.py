import keras

from kmul._inputs import receive
from kmul._validation import check_rate
from kmul._validation import check_seed


@keras.saving.register_keras_serializable(package="kmul")
class StochasticDepth(keras.layers.Layer):
    """Drops a whole branch of a residual network, for some samples.

    ```
    y = m x / (1 − rate)    m = 1 with probability 1 − rate, else 0,
                            drawn for each sample
    ```

    in training; otherwise y = x. It stands on a branch before it is added:
    `x + StochasticDepth(0.1)(f(x))`. It is `keras.layers.Dropout` whose noise
    is shared by all axes but the batch.

    Args:
        rate: Number in [0, 1), the probability that a sample is dropped.
        seed: Integer or None, the seed of the noise.
        **kwargs: The arguments of every layer, `name` and `dtype` for example.

    Call arguments:
        inputs: Tensor of shape `(batch, ...)`.
        training: Boolean, whether samples are dropped.

    Input shape:
        `(batch, ...)`, of rank 2 or more.

    Output shape:
        That of the input.

    Masking: the mask of the input is passed on.

    Example:

    ```python
    x = keras.Input((32, 32, 64))
    branch = keras.layers.Conv2D(64, 3, padding="same")(x)
    y = keras.layers.add([x, kmul.layers.StochasticDepth(0.1)(branch)])
    ```

    Reference:
        - [Deep Networks with Stochastic Depth (Huang et al., 2016)](
          https://arxiv.org/abs/1603.09382)
    """

    def __init__(self, rate=0.1, seed=None, **kwargs):
        rate = check_rate("rate", rate)
        seed = check_seed(seed)
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        self.supports_masking = True
        if rate > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)

    def call(self, inputs, training=False):
        """Returns the inputs, in training with some samples zeroed.

        Args:
            inputs: Tensor of shape `(batch, ...)`.
            training: Boolean, whether to drop any.

        Returns:
            Tensor of the shape of `inputs`.
        """
        inputs = receive(self, inputs)
        if not training or self.rate == 0:
            return inputs
        return keras.random.dropout(
            inputs,
            self.rate,
            noise_shape=(None,) + (1,) * (len(inputs.shape) - 1),
            seed=self.seed_generator,
        )

    def compute_output_shape(self, input_shape):
        shape = tuple(input_shape)
        if len(shape) < 2 or any(isinstance(s, (tuple, list)) for s in shape):
            raise ValueError(
                "`StochasticDepth` should be called on a single tensor of "
                f"rank 2 or more. Received: input_shape={shape}"
            )
        return shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
