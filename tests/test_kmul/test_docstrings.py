"""The examples of docstrings run; the callbacks' tests run theirs."""

import keras
import numpy as np
import pytest
from support.blocks import python_blocks
from support.blocks import run_blocks

import kmul

PACKAGES = (
    kmul.constraints,
    kmul.layers,
    kmul.metrics,
    kmul.models,
    kmul.regularizers,
)
PUBLIC = {
    f"{package.__name__}.{name}": getattr(package, name)
    for package in PACKAGES
    for name in package.__all__
}


# On one backend, as the examples of pages; every layer is trained on all.
@pytest.mark.backends("torch")
@pytest.mark.parametrize("name", PUBLIC)
def test_example(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = PUBLIC[name].__doc__
    assert python_blocks(text)
    run_blocks(text, {"keras": keras, "kmul": kmul, "np": np})
