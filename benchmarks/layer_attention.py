"""What a training step of a layer-attended network costs beside the plain one.

    KERAS_BACKEND=jax python -m benchmarks.layer_attention [--depth 4]

For every mechanism, with and without the transform, the time of a training
step of `LayerAttendedCNN` is compared with that of `CNN` plus the arithmetic
of the attention itself: a step of a network that gets the layers' outputs as
constants and does nothing but attend to them. A ratio of 1 says that reading
out every layer costs nothing else; the target is at most 1.15.

It also compares the sum of products that `LayerAttention` computes with the
concatenation and dense layer that it stands for. All of a comparison take
turns, and the fastest round of each counts.
"""

import os
import time

from tuning.arguments import Parser
from tuning.arguments import positive_integer

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from kmul import layers
from kmul import models

MECHANISMS = ("concat", "static", "self", "recurrent")
IMAGE = (32, 32, 3)
CLASSES = 10
OPTIONS = {"filters": 16, "hidden_units": 32}


def plain(depth):
    return models.CNN(IMAGE, CLASSES, depth=depth, **OPTIONS)


def attended(depth, mechanism, transform_units):
    return models.LayerAttendedCNN(
        IMAGE,
        CLASSES,
        depth=depth,
        mechanism=mechanism,
        transform_units=transform_units,
        key_dim=8,
        **OPTIONS,
    )


def concatenated(depth):
    """The network of "concat", of Keras's own layers."""
    image = x = keras.Input(IMAGE)
    outputs = []
    for _ in range(depth):
        x = keras.layers.Conv2D(
            OPTIONS["filters"], 3, padding="same", activation="relu"
        )(x)
        outputs.append(keras.layers.Flatten()(x))
    x = keras.layers.Concatenate()(outputs) if depth > 1 else outputs[0]
    x = keras.layers.Dense(OPTIONS["hidden_units"], activation="relu")(x)
    return keras.Model(
        image, keras.layers.Dense(CLASSES, activation="softmax")(x)
    )


def attention_alone(depth, mechanism, transform_units):
    """What attending adds to the plain network's step, and nothing else.

    The outputs of the layers are constants, but for a trained factor each: the
    gradient with respect to them is part of the attention's arithmetic.
    """
    shape = (*IMAGE[:2], OPTIONS["filters"])
    inputs = [keras.Input(shape) for _ in range(depth)]
    scaled = [_Factor()(x) for x in inputs]
    x = layers.LayerAttention(
        OPTIONS["hidden_units"],
        mechanism,
        transform_units=transform_units,
        key_dim=8,
        activation="relu",
    )(scaled)
    return keras.Model(inputs, x)


class _Factor(keras.layers.Layer):
    """Multiplies by one trained number, so that gradients come this far."""

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(), initializer="ones")

    def call(self, inputs):
        return inputs * self.factor


def readout_alone():
    """The same for the plain network's dense layer."""
    shape = (*IMAGE[:2], OPTIONS["filters"])
    inputs = keras.Input(shape)
    x = keras.layers.Flatten()(_Factor()(inputs))
    x = keras.layers.Dense(OPTIONS["hidden_units"], activation="relu")(x)
    return keras.Model(inputs, x)


def stepper(model, batch, loss="sparse_categorical_crossentropy"):
    """Returns a function that takes some training steps and waits for them."""
    rng = np.random.default_rng(0)
    model.compile("sgd", loss)
    # On the device beforehand: moving them is no part of the step.
    x = [
        keras.ops.convert_to_tensor(
            rng.normal(size=(batch, *each.shape[1:])), "float32"
        )
        for each in model.inputs
    ]
    x = x[0] if len(x) == 1 else x
    if loss == "mse":
        y = np.zeros((batch, model.output.shape[-1]), "float32")
    else:
        y = rng.integers(CLASSES, size=batch)

    def step(count):
        for _ in range(count):
            model.train_on_batch(x, y)

    step(3)
    return step


def fastest(steppers, rounds, steps, clock):
    """Seconds per step of each, taking turns; the fastest round counts."""
    best = [float("inf")] * len(steppers)
    for _ in range(rounds):
        for index, step in enumerate(steppers):
            started = clock()
            step(steps)
            seconds = (clock() - started) / steps
            best[index] = min(best[index], seconds)
    return best


def main():
    parser = Parser(
        prog="python -m benchmarks.layer_attention",
        description=__doc__.split("\n")[0],
    )
    parser.add_argument("--depth", type=positive_integer, default=4)
    parser.add_argument("--batch-size", type=positive_integer, default=64)
    parser.add_argument("--rounds", type=positive_integer, default=7)
    parser.add_argument("--steps", type=positive_integer, default=5)
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="measure that instead of the time of the clock, for machines "
        "that others use at the same time",
    )
    arguments = parser.parse_args()
    depth, batch = arguments.depth, arguments.batch_size
    timing = {
        "rounds": arguments.rounds,
        "steps": arguments.steps,
        "clock": time.process_time
        if arguments.processor_time
        else time.perf_counter,
    }
    print(
        f"{keras.config.backend()}, {depth} convolutions, batch {batch}; "
        "milliseconds per training step"
    )

    ours, keras_own = fastest(
        [
            stepper(attended(depth, "concat", None), batch),
            stepper(concatenated(depth), batch),
        ],
        **timing,
    )
    print(
        f"sum of products {ours * 1e3:.2f}, concatenate and dense "
        f"{keras_own * 1e3:.2f}: ratio {ours / keras_own:.2f}\n"
    )
    print(
        f"{'mechanism':<12}{'transform':<11}{'attended':>9}{'plain':>9}"
        f"{'attention':>11}{'ratio':>7}"
    )
    for mechanism in MECHANISMS:
        for transform_units in (None, 16):
            whole, base, alone, dense = fastest(
                [
                    stepper(attended(depth, mechanism, transform_units), batch),
                    stepper(plain(depth), batch),
                    stepper(
                        attention_alone(depth, mechanism, transform_units),
                        batch,
                        "mse",
                    ),
                    stepper(readout_alone(), batch, "mse"),
                ],
                **timing,
            )
            # The plain network's step has its own read-out already.
            arithmetic = max(alone - dense, 0)
            ratio = whole / (base + arithmetic)
            print(
                f"{mechanism:<12}{transform_units or '-':<11}"
                f"{whole * 1e3:>9.2f}{base * 1e3:>9.2f}"
                f"{arithmetic * 1e3:>11.2f}{ratio:>7.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
