"""Layers that somebody might ask for a card of, most of them broken."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="theirs")
class Scaled(keras.layers.Layer):
    """A good one: its weights times the first half of a vector."""

    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1] // 2,))

    def call(self, x):
        return self.factor * x[..., : self.kernel.shape[0]] * self.kernel

    def compute_output_shape(self, shape):
        return (*shape[:-1], shape[-1] // 2)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class Raises(Scaled):
    def call(self, x):
        raise RuntimeError("my own mistake")


class TwoOutputs(Scaled):
    def call(self, x):
        return x, x

    def compute_output_shape(self, shape):
        return shape, shape


class WrongShape(Scaled):
    def call(self, x):
        return ops.sum(x)

    def compute_output_shape(self, shape):
        return ()


class NotANumber(Scaled):
    def call(self, x):
        return super().call(x) * float("nan")


class InfiniteGradient(Scaled):
    def call(self, x):
        return ops.sqrt(super().call(x) ** 2)


class NotALayer:
    pass


def good_factory(units):
    return keras.layers.Dense(units, activation="tanh")


def bad_factory(units):
    return units


NUMBER = 3
