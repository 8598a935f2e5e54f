"""A network that is searched over, as a KerasTuner hypermodel."""

import random
from typing import ClassVar

import keras
import keras_tuner

# One per decade.
LEARNING_RATES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
ACTIVATIONS = ("linear", "relu", "selu", "sigmoid", "tanh")
# The width of everything between inputs and output.
HIDDEN_UNITS = 256


class Network(keras_tuner.HyperModel):
    """A network for a problem, a KerasTuner hypermodel.

    Its hyperparameters are `depth`, `activation`, `learning_rate`, `seed` and
    those in `choices`. Subclasses for vectors say what they compute in
    `outputs`, others make the model in `model`.

    Args:
        problem: A `tuning.problems.problem.Problem`.

    Attributes:
        depths: Tuple of the depths that it has.
        activations: Tuple of the activations that it can use.
        choices: Dictionary of the names of further hyperparameters, and tuples
            of their values. They are searched as the learning rate is.
        input_rank: Rank of each input without the batch: 1 for vectors, 3 for
            images.
    """

    depths = (1, 2, 3)
    activations = ACTIVATIONS
    choices: ClassVar[dict[str, tuple]] = {}
    input_rank = 1

    def __init__(self, problem):
        super().__init__(name=type(self).__name__.lower())
        self.problem = problem
        self.input_shapes = problem.input_shapes
        self.units = problem.units

    def build(self, hp):
        depth = hp.Choice("depth", list(self.depths))
        activation = hp.Choice("activation", list(self.activations))
        learning_rate = hp.Choice("learning_rate", list(LEARNING_RATES))
        choices = {
            name: hp.Choice(name, list(values))
            for name, values in self.choices.items()
        }
        # Keras draws the seeds of its initializers from Python's generator.
        # `keras.utils.set_random_seed` seeds that one too, but imports
        # TensorFlow for it wherever that is installed, which takes seconds.
        random.seed(hp.Fixed("seed", 0))
        model = self.model(depth, activation, **choices)
        model.compile(
            keras.optimizers.Adam(learning_rate),
            loss=self.problem.loss,
            metrics=self.problem.metrics(),
        )
        return model

    def model(self, depth, activation, **choices):
        """Returns the model, not compiled."""
        inputs = [
            keras.Input(shape, name=name)
            for shape, name in zip(self.input_shapes, "ab", strict=False)
        ]
        # With a single vector, both are the same.
        a, b = inputs[0], inputs[-1]
        outputs = self.outputs(a, b, depth, activation, **choices)
        return keras.Model(inputs if len(inputs) > 1 else a, outputs)

    def outputs(self, a, b, depth, activation, **choices):
        """Returns the output, of `units`, for two symbolic inputs.

        They are the same where the problem has a single vector.
        """
        raise NotImplementedError(
            f"{type(self).__name__} should define `outputs`."
        )


def side_by_side(a, b):
    """Returns both inputs in one, once if they are the same."""
    return a if a is b else keras.layers.Concatenate()([a, b])
