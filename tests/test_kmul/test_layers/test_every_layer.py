import keras
import pytest
from support import layer_checks

from kmul import layers

from .examples import EXAMPLES


@pytest.fixture(params=list(EXAMPLES))
def example(request):
    return EXAMPLES[request.param]


def test_config(example):
    layer_checks.check_config(example[0])


def test_build_and_shapes(example):
    layer_checks.check_build_and_shapes(*example)


def test_refuses_other_inputs(example):
    layer_checks.check_refuses_other_inputs(*example)


def test_integer_inputs(example):
    layer_checks.check_integer_inputs(*example)


def test_mixed_precision(example):
    layer_checks.check_mixed_precision(*example)


def test_training(example):
    layer_checks.check_training(*example)


def test_saving(example, tmp_path):
    layer_checks.check_saving(*example, tmp_path)


def test_gradients(example):
    layer_checks.check_gradients(*example)


def test_numerical_gradients(example):
    layer_checks.check_numerical_gradients(*example)


def test_every_public_layer_has_an_example():
    public = {
        name
        for name, each in vars(layers).items()
        if isinstance(each, type) and issubclass(each, keras.layers.Layer)
    }
    assert public == {name.split(",")[0] for name in EXAMPLES}
