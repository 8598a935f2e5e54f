"""Saves a model of each layer, and what it computes, for later versions.

    PYTHONPATH=tests python -m test_kmul.test_saved_files.make

Run it once for a release, after its version number is set: it makes the folder
of that version, which is committed and does not change any more.
"""

import pathlib

import keras
import numpy as np
from support.layer_checks import random_inputs
from support.layer_checks import symbolic_inputs

import kmul
from test_kmul.test_layers.examples import EXAMPLES

FOLDER = pathlib.Path(__file__).parent


def make_model(make, shapes):
    """Returns a model of the layer whose weights all differ."""
    inputs = symbolic_inputs(shapes)
    model = keras.Model(inputs, make()(inputs))
    rng = np.random.default_rng(1)
    for variable in model.trainable_variables:
        noise = rng.normal(scale=0.1, size=variable.shape)
        variable.assign_add(noise.astype("float32"))
    return model


def main(version=kmul.__version__):
    keras.utils.set_random_seed(0)
    folder = FOLDER / version
    folder.mkdir()  # An error if there is one: it stays as it was released.
    # The first example of each layer.
    examples = {
        name.split(",")[0]: example
        for name, example in reversed(EXAMPLES.items())
    }
    for name, (make, shapes) in examples.items():
        model = make_model(make, shapes)
        x = random_inputs(shapes)
        arrays = {f"x{i}": each for i, each in enumerate(keras.tree.flatten(x))}
        model.save(folder / f"{name}.keras")
        np.savez_compressed(
            folder / f"{name}.npz", y=model.predict_on_batch(x), **arrays
        )


if __name__ == "__main__":
    main()
