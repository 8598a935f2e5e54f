"""Orders of contracting two vectors with a kernel of three axes.

    KERAS_BACKEND=jax python -m benchmarks.contractions

y_o = Σ_ij z_i x_j W_ijo, all axes of one width, in a training step: the outer
product first, as a matrix product of a column and a row (what
`kmul.layers.MultiplicativeInteraction` does there); the outer product by
broadcasting; or the kernel first, then pairs. They take turns, by themselves
and behind dense layers, where the vectors need gradients as well.
"""

import argparse
import time

import keras
import numpy as np
from keras import ops
from rich.console import Console
from rich.table import Table

from benchmarks.layers import take_turns
from benchmarks.layers import training_step
from tuning.arguments import Parser

# Widths, batches and rounds.
SIZES = ((64, 512, 20), (128, 512, 10), (256, 256, 6))


def flat(kernel):
    return ops.reshape(kernel, (-1, kernel.shape[-1]))


def column_by_row(z, x, kernel):
    outer = ops.matmul(z[:, :, None], x[:, None])
    return ops.matmul(
        ops.reshape(outer, (-1, kernel.shape[0] ** 2)), flat(kernel)
    )


def broadcasting(z, x, kernel):
    outer = ops.reshape(z[:, :, None] * x[:, None], (-1, kernel.shape[0] ** 2))
    return ops.matmul(outer, flat(kernel))


def pairs(z, x, kernel):
    m, n, out = kernel.shape
    generated = ops.matmul(z, ops.reshape(kernel, (m, n * out)))
    generated = ops.reshape(generated, (-1, n, out))
    return ops.squeeze(ops.matmul(x[:, None], generated), 1)


class Contraction(keras.layers.Layer):
    """One of the orders with a kernel, behind dense layers or not."""

    def __init__(self, function, width, behind_dense):
        super().__init__()
        self.function = function
        self.kernel = self.add_weight(shape=(width, width, width))
        self.dense = [
            keras.layers.Dense(width) for _ in range(2 * behind_dense)
        ]

    def call(self, inputs):
        if self.dense:
            inputs = [
                dense(x) for dense, x in zip(self.dense, inputs, strict=True)
            ]
        return self.function(*inputs, ops.convert_to_tensor(self.kernel))


def measure(width, batch, rounds, behind_dense):
    """Returns the times of the three orders, as `take_turns` does."""
    rng = np.random.default_rng(0)
    vectors = [*rng.normal(size=(2, batch, width)).astype("float32")]
    shapes, y = [(width,), (width,)], np.zeros_like(vectors[0])
    steps = [
        training_step(
            Contraction(function, width, behind_dense), shapes, vectors, y
        )
        for function in (column_by_row, broadcasting, pairs)
    ]
    return take_turns(time.perf_counter, *steps, rounds=rounds)


def main():
    Parser(
        prog="python -m benchmarks.contractions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    table = Table(
        "width",
        "vectors",
        "column by row, ms",
        "broadcasting",
        "pairs",
        title=keras.config.backend(),
    )
    for width, batch, rounds in SIZES:
        for behind_dense in (False, True):
            times = measure(width, batch, rounds, behind_dense)
            ratios = np.median(times[:, 1:] / times[:, :1], axis=0)
            table.add_row(
                str(width),
                "behind dense" if behind_dense else "inputs",
                f"{1e3 * np.median(times[:, 0]):.1f}",
                *(f"{ratio:.2f}" for ratio in ratios),
            )
    Console().print(table)


if __name__ == "__main__":
    main()
