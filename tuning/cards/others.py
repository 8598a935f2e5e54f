"""Layers made of Keras's own, beside which others are seen."""

import keras
from keras import ops


def mlp(units, hidden_units=64):
    """Returns two dense layers with relu between them."""
    return keras.Sequential(
        [
            keras.layers.Dense(hidden_units, activation="relu"),
            keras.layers.Dense(units),
        ]
    )


def einsum_dense(units):
    """Returns a dense layer that is written as an Einstein sum."""
    return keras.layers.EinsumDense("ab,bc->ac", units, bias_axes="c")


@keras.saving.register_keras_serializable(package="tuning.cards")
class PairAttention(keras.layers.Layer):
    """Self-attention of two vectors, then dense.

    Args:
        units: Positive integer, the size of the output.
        num_heads: Positive integer.
        key_dim: Positive integer, the size of each head.
        **kwargs: The arguments of every layer.

    Call arguments:
        inputs: List of two tensors of shape `(batch, size)`.
    """

    def __init__(self, units, num_heads=2, key_dim=16, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.attention = keras.layers.MultiHeadAttention(num_heads, key_dim)
        self.dense = keras.layers.Dense(units)

    def build(self, input_shape):
        batch, size = input_shape[0]
        self.attention.build((batch, 2, size), (batch, 2, size))
        self.dense.build((batch, 2 * size))

    def call(self, inputs):
        pair = ops.stack(inputs, axis=1)
        pair = self.attention(pair, pair)
        return self.dense(ops.reshape(pair, (-1, 2 * inputs[0].shape[-1])))

    def compute_output_shape(self, input_shape):
        return (input_shape[0][0], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
        }
