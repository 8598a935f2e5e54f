"""What a user might hand to `--network`."""

import keras
import keras_tuner

from tuning.networks.network import Network


class Product(keras.layers.Layer):
    """The product of both inputs, dense."""

    def __init__(self, units, option=None, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(units)

    def build(self, input_shape):
        self.dense.build(input_shape[0])

    def call(self, inputs):
        return self.dense(inputs[0] * inputs[1])


class Plain(keras_tuner.HyperModel):
    """A hypermodel that shares nothing with the project's own."""

    def __init__(self, problem):
        super().__init__()
        self.problem = problem

    def build(self, hp):
        inputs = [keras.Input(shape) for shape in self.problem.input_shapes]
        x = keras.layers.Dense(self.problem.units)(keras.layers.Add()(inputs))
        model = keras.Model(inputs, x)
        model.compile(
            keras.optimizers.SGD(hp.get("learning_rate")),
            "mse",
            metrics=[keras.metrics.MeanAbsoluteError(name="accuracy")],
        )
        return model


class OwnSGD(keras.optimizers.SGD):
    """Nobody knows what it does."""


class OwnModel(keras.Model):
    """Trained in a way of its own."""

    def train_step(self, *args, **kwargs):
        return super().train_step(*args, **kwargs)


class OwnWay(Plain):
    def build(self, hp):
        model = super().build(hp)
        model = OwnModel(model.inputs, model.outputs)
        model.compile(
            OwnSGD(hp.get("learning_rate")),
            "mse",
            metrics=[keras.metrics.MeanAbsoluteError(name="accuracy")],
        )
        return model


class Broken(Network):
    """Has a bug."""

    depths = (1,)
    activations = ("linear",)

    def outputs(self, a, b, depth, activation):
        return 1 / 0


class Fragile(Network):
    """Does not take a learning rate of more than 0.005."""

    depths = (1,)
    activations = ("linear",)

    def build(self, hp):
        if hp.get("learning_rate") > 0.005:
            raise ValueError("too fast [/]")
        return super().build(hp)

    def outputs(self, a, b, depth, activation):
        return keras.layers.Dense(self.units)(a * b)


class Fatal(Network):
    """Takes its process with it."""

    depths = (1,)
    activations = ("linear",)

    def outputs(self, a, b, depth, activation):
        import os

        os._exit(7)


class FatalOnce(Network):
    """Takes its process with it, the first time."""

    depths = (1,)
    activations = ("linear",)

    def outputs(self, a, b, depth, activation):
        import os
        import pathlib

        mark = pathlib.Path(os.environ["MARK"])
        if not mark.exists():
            mark.touch()
            os._exit(8)
        return keras.layers.Dense(self.units)(a * b)


class Held(Network):
    """Holds the first two processes that train it, where `MARK` is set.

    They write their numbers there, the first to wait for ever, the second until
    there is a file `go`.
    """

    depths = (1,)
    activations = ("linear",)

    def outputs(self, a, b, depth, activation):
        import os
        import pathlib
        import time

        if "MARK" in os.environ:
            folder = pathlib.Path(os.environ["MARK"])
            for name, until in (("first", "never"), ("second", "go")):
                try:
                    with open(folder / name, "x") as file:
                        file.write(str(os.getpid()))
                except FileExistsError:
                    continue
                while not (folder / until).exists():
                    time.sleep(0.05)
                break
        return keras.layers.Dense(self.units)(a * b)


class OwnSchedule(OwnWay):
    """As `OwnWay`, with a rate that decays by itself."""

    def build(self, hp):
        model = super().build(hp)
        rate = keras.optimizers.schedules.ExponentialDecay(
            hp.get("learning_rate"), 2, 0.5
        )
        model.compile(
            OwnSGD(rate),
            "mse",
            metrics=[keras.metrics.MeanAbsoluteError(name="accuracy")],
        )
        return model
