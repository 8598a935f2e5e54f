import inspect

import keras
import pytest
from support import layer_checks

import kmul
from kmul import layers

from .examples import CELLS
from .examples import EXAMPLES


def arguments(layer):
    """The arguments of a class of layers, and their defaults."""
    return {
        name: each.default
        for name, each in inspect.signature(layer).parameters.items()
        if each.kind is not each.VAR_KEYWORD
    }


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


# The gradient of its scores is meant for another function than it computes.
STRAIGHT_THROUGH = ("BinaryMaskedDense",)


# JAX would compile each anew, which takes it about as long as `test_training`.
@pytest.mark.backends("tensorflow", "torch")
@pytest.mark.parametrize(
    "name", [name for name in EXAMPLES if name not in STRAIGHT_THROUGH]
)
def test_numerical_gradients(name):
    layer_checks.check_numerical_gradients(*EXAMPLES[name])


PUBLIC = {
    name: each
    for name, each in vars(layers).items()
    if isinstance(each, type) and issubclass(each, keras.layers.Layer)
}


def test_every_public_layer_has_an_example():
    examples = [*EXAMPLES, *CELLS]
    assert set(PUBLIC) == {name.split(",")[0] for name in examples}


def test_every_layer_is_offered():
    assert {*PUBLIC} == {*layers.__all__} == {*dir(layers)}
    assert {*PUBLIC} < {*kmul.__all__}
    assert all(getattr(kmul, name) is each for name, each in PUBLIC.items())


@pytest.mark.parametrize("name", PUBLIC)
def test_call_says_what_it_takes_and_returns(name):
    call = PUBLIC[name].call
    text = inspect.cleandoc(call.__doc__)
    for argument in list(inspect.signature(call).parameters)[1:]:
        assert f"\n    {argument}: " in text
    assert "\nArgs:\n" in text
    assert "\nReturns:\n" in text


def test_signatures_name_every_argument(example):
    """So that `help` and completion show them."""
    layer = example[0]()
    named = {"name", "trainable", "dtype", *arguments(type(layer))}
    assert set(layer.get_config()) - {"quantization_config"} <= named


def test_booleans_are_checked(example):
    layer = example[0]()
    for name, default in arguments(type(layer)).items():
        if not isinstance(default, bool):
            continue
        with pytest.raises(
            ValueError,
            match=f"`{name}`. Expected True or False. Received: {name}='false'",
        ):
            type(layer)(**{**layer.get_config(), name: "false"})
