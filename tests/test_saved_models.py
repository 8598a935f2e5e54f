"""The trained models that come with the project predict what they did."""

import pathlib

import pytest

from tuning.study.saving import card_path
from tuning.study.saving import check_model

DIRECTORY = pathlib.Path(__file__).parent.parent / "saved_models"
MODELS = sorted(DIRECTORY.glob("*.keras"))


def test_there_are_some():
    assert MODELS


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_predictions(path):
    assert check_model(path) <= 1e-5


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_size(path):
    """Small enough for a repository: weights alone, no optimizer."""
    assert path.stat().st_size < 1e6
    assert card_path(path).stat().st_size < 1e6
