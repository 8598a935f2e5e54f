"""Layers compute what they compute in NumPy, whichever sizes coincide.

Some operations of a backend guess the meaning of an axis from its size. Here
every axis of the inputs has the size of the layers' units, and so has the
batch, or it is one sample, or empty. What is expected comes from Keras's NumPy
backend, in a process of its own.
"""

import os
import subprocess
import sys

import keras
import numpy as np
from keras import ops
from support.gradients import call
from support.layer_checks import random_inputs

from .examples import EXAMPLES

SIZE = 3
# JAX compiles each size anew.
BATCHES = (SIZE,) if keras.config.backend() == "jax" else (SIZE, 1, 0)
SHAPES = {
    # Its inputs become vectors of one length.
    "LayerAttention, recurrent": [(SIZE, SIZE), (SIZE, SIZE)],
    # Its channels are halved.
    "SpatialGatingUnit": (SIZE, SIZE, 2 * SIZE),
}
# On TensorFlow the convolution of an empty batch has another shape, and Keras's
# LSTM fails on one; torch has no Fourier transform of one, and no variance.
NEVER_EMPTY = (
    "PolynomialBlock2D",
    "PartialConv2D",
    "GatedConv2D",
    "LayerAttention, recurrent",
    "MCBFusion",
    "NMU, normalized",
    "SpatialGate2D",
    "AdditiveTokenMixer2D",
    "AdditiveBlock2D",
    "StripSelfAttention2D",
    "HybridPerceptionBlock2D",
    "StarBlock2D",
    "LargeKernelAttention2D",
    "FocalModulation2D",
    "GatedRecursiveConv2D",
    "MultiOrderGatedAggregation2D",
)


def coinciding(shapes):
    if isinstance(shapes, list):
        return [coinciding(shape) for shape in shapes]
    return (SIZE,) * len(shapes)


def first(inputs, batch):
    if isinstance(inputs, list):
        return [x[:batch] for x in inputs]
    return inputs[:batch]


def cases():
    """Yields the name of each example, its layer, built, and its inputs."""
    for name, (make, shapes) in EXAMPLES.items():
        shapes = SHAPES.get(name) or coinciding(shapes)
        layer = make()
        layer.build(shapes)
        yield name, layer, random_inputs(shapes)


def write_expected(path):
    """Writes weights and outputs of every example, by its name."""
    arrays = {}
    rng = np.random.default_rng(1)
    for name, layer, inputs in cases():
        # None is 0 or 1, which would hide what it is added to.
        for variable in layer.trainable_variables:
            variable.assign(rng.uniform(0.1, 0.9, variable.shape))
        for number, weight in enumerate(layer.get_weights()):
            arrays[f"{name}/weight {number}"] = weight
        for batch in (SIZE, 1, 0):
            outputs = layer(first(inputs, batch))
            arrays[f"{name}/outputs {batch}"] = ops.convert_to_numpy(outputs)
    np.savez(path, **arrays)


def test_outputs_are_those_of_numpy(tmp_path):
    path = tmp_path / "expected.npz"
    program = f"from {__name__} import *; write_expected({str(path)!r})"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={
            **os.environ,
            "KERAS_BACKEND": "numpy",
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    expected = np.load(path)
    wrong = []
    for name, layer, inputs in cases():
        layer.set_weights(
            [
                expected[f"{name}/weight {number}"]
                for number in range(len(layer.weights))
            ]
        )
        for batch in BATCHES:
            if batch == 0 and name.startswith(NEVER_EMPTY):
                continue
            found = ops.convert_to_numpy(call(layer, first(inputs, batch)))
            right = expected[f"{name}/outputs {batch}"]
            if found.shape != right.shape or not np.allclose(
                found, right, rtol=1e-5, atol=1e-5
            ):
                wrong.append(f"{name}, batch of {batch}")
    assert not wrong
