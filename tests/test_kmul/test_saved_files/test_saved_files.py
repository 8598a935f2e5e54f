"""Files that released versions saved load, and compute what they did."""

import keras
import numpy as np
import pytest

import kmul  # noqa: F401 (loading a model needs its layers registered)

from .make import FOLDER
from .make import main

FILES = sorted(FOLDER.glob("*/*.keras"))


def test_every_layer_of_a_release_has_one():
    assert {path.parent.name for path in FILES} >= {"0.2.0"}
    assert len([path for path in FILES if path.parent.name == "0.2.0"]) == 34
    assert sum(path.stat().st_size for path in FOLDER.rglob("*")) < 2e6


@pytest.mark.parametrize(
    "path", FILES, ids=lambda path: f"{path.parent.name} {path.stem}"
)
def test_predicts_what_it_did(path):
    model = keras.saving.load_model(path)
    with np.load(path.with_suffix(".npz")) as stored:
        x = [stored[f"x{i}"] for i in range(len(stored.files) - 1)]
        y = stored["y"]
    found = keras.ops.convert_to_numpy(model(x if len(x) > 1 else x[0]))
    np.testing.assert_allclose(found, y, rtol=1e-5, atol=1e-5 * np.abs(y).max())


def test_a_release_is_not_made_again():
    with pytest.raises(FileExistsError, match=r"0\.2\.0"):
        main("0.2.0")
