"""Layers in ONNX files compute what they did."""

import keras
import numpy as np
import onnxruntime
import pytest
from support.layer_checks import random_inputs
from support.layer_checks import symbolic_inputs

from .examples import EXAMPLES

NAMES = {*EXAMPLES} - {
    # Exporters of no backend know the Fourier transform.
    "MCBFusion",
    # Nor this one a normalization whose size Keras takes from the inputs.
    "HybridPerceptionBlock2D",
    "SpatialGatingUnit",
}


# The other backends' exporters are packages of their own, with more limits.
@pytest.mark.backends("torch")
@pytest.mark.filterwarnings("ignore")  # Tracing warns of every known size.
@pytest.mark.parametrize("name", sorted(NAMES))
def test_export(name, tmp_path):
    make, shapes = EXAMPLES[name]
    inputs = symbolic_inputs(shapes)
    model = keras.Model(inputs, make()(inputs))
    x = random_inputs(shapes)
    expected = model.predict_on_batch(x)  # A model that was called exports.
    path = str(tmp_path / "model.onnx")
    model.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path)
    names = [each.name for each in session.get_inputs()]
    (found,) = session.run(
        None, dict(zip(names, keras.tree.flatten(x), strict=True))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
