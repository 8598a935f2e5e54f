"""Models saved on one backend compute the same on the others."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from support.layer_checks import random_inputs
from support.layer_checks import symbolic_inputs

from .examples import EXAMPLES

# Run with the directory as its argument: prints the largest difference of each
# model, relative to its largest output.
LOAD = """
import json, pathlib, sys
import keras
import numpy as np
import kmul

found = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.keras")):
    model = keras.saving.load_model(path)
    stored = np.load(path.with_suffix(".npz"))
    inputs = [stored[f"x{i}"] for i in range(len(stored.files) - 1)]
    outputs = model.predict_on_batch(inputs if len(inputs) > 1 else inputs[0])
    error = np.abs(outputs - stored["y"]).max() / np.abs(stored["y"]).max()
    found[path.stem] = float(error)
json.dump([keras.config.backend(), found], sys.stdout)
"""


# What is saved is the same wherever it is saved; one backend that saves and two
# that load are enough, as starting them is what takes long.
@pytest.mark.backends("torch")
def test_outputs_are_the_same_on_other_backends(tmp_path, other_backends):
    for number, (make, shapes) in enumerate(EXAMPLES.values()):
        inputs = symbolic_inputs(shapes)
        model = keras.Model(inputs, make()(inputs))
        model.save(tmp_path / f"{number}.keras")
        x = random_inputs(shapes)
        arrays = x if isinstance(x, list) else [x]
        np.savez(
            tmp_path / f"{number}.npz",
            y=model.predict_on_batch(x),
            **{f"x{i}": array for i, array in enumerate(arrays)},
        )
    names = list(EXAMPLES)
    for backend in other_backends:
        done = subprocess.run(
            [sys.executable, "-c", LOAD, str(tmp_path)],
            env={**os.environ, "KERAS_BACKEND": backend},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        ran, errors = json.loads(done.stdout)
        assert ran == backend
        assert len(errors) == len(EXAMPLES)
        different = {names[int(n)]: e for n, e in errors.items() if e > 1e-5}
        assert not different, f"on {backend}"
