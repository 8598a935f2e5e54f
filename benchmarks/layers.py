"""Training steps of the layers against the same written by hand.

    python -m benchmarks.layers [--cpu-time] [NAME ...]

Each layer, in a Keras model with plain SGD, takes turns with a layer of the
same weights whose `call` is the equation in `keras.ops`. The table shows the
medians of both over many short turns, and the median of their ratio, which
should be at most 1.05. Without names, this measures all layers, and the full
interaction's share of the speed of a plain matrix product at batch 1,024 and
widths of 256. The backend is `KERAS_BACKEND`. Other work on the machine
disturbs the times more than the ratios; `--cpu-time` counts the process's own
time on all cores, which it disturbs less.
"""

import time

import keras
import numpy as np
from keras import ops
from rich.console import Console
from rich.table import Table

from benchmarks import equations
from benchmarks import recurrences
from benchmarks.equations import IMAGES
from kmul import layers
from tuning.arguments import Parser

CASES = {**equations.CASES, **recurrences.CASES}
BATCH = 512
ROUNDS, SECONDS_PER_TURN = 40, 0.05


class ByHand(keras.layers.Layer):
    """A layer of given weights that is nothing but a function of them.

    In the place of the weights of a batch normalization, the function gets one
    of Keras's.
    """

    def __init__(self, function, like):
        super().__init__()
        self.function = function
        self.weights_by_hand = []
        paths = {variable.path for variable in like.variables}
        for variable in like.trainable_variables:
            layer, _, name = variable.path.rpartition("/")
            if f"{layer}/moving_mean" not in paths:
                # Constraints cost a step time on either side.
                weight = self.add_weight(
                    name=f"weight_{len(self.weights_by_hand)}",
                    shape=variable.shape,
                    constraint=variable.constraint,
                )
                weight.assign(ops.convert_to_numpy(variable))
            elif name == "gamma":
                weight = keras.layers.BatchNormalization(epsilon=1e-5)
                weight.build((None, None, None, *variable.shape))
            else:
                continue
            self.weights_by_hand.append(weight)

    def call(self, inputs):
        weights = [
            weight
            if isinstance(weight, keras.layers.Layer)
            else ops.convert_to_tensor(weight)
            for weight in self.weights_by_hand
        ]
        return self.function(weights, inputs)


def synchronize(value):
    """Waits for the device."""
    ops.convert_to_numpy(value)


def training_step(layer, shapes, x, y):
    inputs = (
        [keras.Input(shape) for shape in shapes]
        if isinstance(shapes, list)
        else keras.Input(shapes)
    )
    model = keras.Model(inputs, layer(inputs))
    model.compile(keras.optimizers.SGD(1e-6), "mse")
    return lambda: synchronize(model.train_on_batch(x, y))


def take_turns(clock, *functions, rounds=ROUNDS):
    """Returns the median seconds of a call, an array (rounds, functions).

    Each function is called for a moment, then the next, and so on, so that
    other work on the machine disturbs all functions of a round alike.
    """
    calls = []
    for function in functions:
        function()
        start = clock()
        function()
        calls.append(max(1, int(SECONDS_PER_TURN / (clock() - start))))
    medians = np.empty((rounds, len(functions)))
    for row in medians:
        for i, function in enumerate(functions):
            seconds = []
            for _ in range(calls[i]):
                start = clock()
                function()
                seconds.append(clock() - start)
            row[i] = np.median(seconds)
    return medians


def compare(name, clock):
    """Returns the times of a layer's step and of the step by hand."""
    make, function, shapes = CASES[name]
    rng = np.random.default_rng(0)
    several = isinstance(shapes, list)
    batch = 32 if IMAGES in (shapes, shapes[0]) else BATCH
    batch = 128 if shapes == recurrences.SEQUENCES else batch
    x = [
        rng.uniform(0.5, 1.5, size=(batch, *shape)).astype("float32")
        for shape in (shapes if several else [shapes])
    ]
    x = x if several else x[0]
    layer = make()
    expected = ops.convert_to_numpy(layer(x))
    by_hand = ByHand(function, layer)
    np.testing.assert_allclose(
        ops.convert_to_numpy(by_hand(x)),
        expected,
        rtol=1e-3,
        atol=1e-3 * np.abs(expected).max(),
    )
    y = np.zeros_like(expected)
    return take_turns(
        clock,
        training_step(layer, shapes, x, y),
        training_step(by_hand, shapes, x, y),
    )


def forward(function, *arrays):
    """Returns a compiled call of `function` on the device's own tensors."""
    tensors = [ops.convert_to_tensor(array) for array in arrays]
    backend = keras.config.backend()
    if backend == "jax":
        import jax

        compiled = jax.jit(function)
        return lambda: jax.block_until_ready(compiled(*tensors))
    if backend == "tensorflow":
        import tensorflow as tf

        compiled = tf.function(function)
        return lambda: synchronize(compiled(*tensors)[:1, :1])

    import torch

    def call():
        with torch.no_grad():
            synchronize(function(*tensors)[:1, :1])

    return call


def measure_full_interaction(batch=1024, width=256):
    """Returns matmul's FLOP/s, and the layer's shares of it.

    The first share is that of the forward pass, the second that of a training
    step.
    """
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, batch, width)).astype("float32")
    layer = layers.MultiplicativeInteraction(width)
    layer.build([x.shape, z.shape])
    weights = [v.value for v in layer.trainable_variables]
    left = rng.normal(size=(4096, 2048)).astype("float32")
    right = rng.normal(size=(2048, 2048)).astype("float32")
    shapes = [(width,), (width,)]
    seconds = take_turns(
        time.perf_counter,
        forward(ops.matmul, left, right),
        forward(
            lambda x, z: layer.stateless_call(weights, [], [x, z])[0], x, z
        ),
        training_step(layer, shapes, [x, z], np.zeros_like(x)),
        rounds=10,
    )
    product = 2 * batch * width**3
    speeds = np.array([2 * 4096 * 2048 * 2048, product, 3 * product]) / seconds
    matmul, *ours = speeds.T
    return np.median(matmul), *(np.median(each / matmul) for each in ours)


def summarize(times):
    """Returns both medians in milliseconds, and that of the ratio, as text."""
    ours, by_hand = np.median(times, axis=0)
    ratio = np.median(times[:, 0] / times[:, 1])
    return f"{1e3 * ours:.2f}", f"{1e3 * by_hand:.2f}", f"{ratio:.2f}"


def main():
    parser = Parser(
        prog="python -m benchmarks.layers",
        description=__doc__.splitlines()[0],
        epilog="names: " + "; ".join(CASES),
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="count CPU seconds of all cores, not the wall clock's",
    )
    arguments = parser.parse_args()
    given = arguments.names
    clock = time.process_time if arguments.cpu_time else time.perf_counter
    names = [
        name
        for name in CASES
        if not given or name in given or name.split(",")[0] in given
    ]
    known = {*CASES, *(name.split(",")[0] for name in CASES)}
    unknown = [name for name in given if name not in known]
    if unknown:
        parser.error(f"no such layer: {', '.join(unknown)}")
    table = Table(
        "layer", "ms", "by hand, ms", "ratio", title=keras.config.backend()
    )
    for name in names:
        table.add_row(name, *summarize(compare(name, clock)))
    console = Console()
    console.print(table)
    if not given or "MultiplicativeInteraction" in given:
        matmul, inference, training = measure_full_interaction()
        console.print(
            f"matmul {matmul / 1e9:.0f} GFLOP/s; full interaction, batch 1,024 "
            f"and widths 256: {inference:.0%} of it forwards, "
            f"{training:.0%} in a training step"
        )


if __name__ == "__main__":
    main()
