import inspect

import keras
import numpy as np
import pytest

from kmul import layers
from tuning.networks import registry
from tuning.networks.layers import LAYERS
from tuning.networks.layers import CalledOn
from tuning.networks.network import Network
from tuning.networks.registry import check_layer
from tuning.networks.registry import find_network
from tuning.problems.data import DataSettings
from tuning.problems.registry import open_problem

ON_IMAGES = {
    name
    for name, entry in LAYERS.items()
    if entry.called_on in (CalledOn.IMAGE, CalledOn.MASKED_IMAGE)
}
# One in every family that has several forms.
VARIANTS = (
    "multiplicative_interaction:form=low_rank,rank=3",
    "multiplicative_interaction:form=diagonal",
    "gated_dense:gate_activation=silu",
    "polynomial_dense:form=ncp,degree=3",
    "film:residual=False",
)


@pytest.fixture
def problem(tmp_path):
    """Returns a function that opens a small problem."""

    def open_small(task, inputs):
        data = DataSettings(str(tmp_path), width=8, train_records=64)
        return open_problem(task, inputs, data, 0.1)

    return open_small


def layers_of(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def test_every_layer_of_the_library_has_a_name():
    public = {
        each
        for each in vars(layers).values()
        if isinstance(each, type)
        and issubclass(each, keras.layers.Layer)
        # No problem has sequences.
        and not issubclass(each, (keras.layers.RNN, keras.layers.SimpleRNNCell))
    }
    named = [entry.layer for entry in LAYERS.values()]
    assert len(named) == len(set(named)) and set(named) == public


def test_there_are_layers_of_both_kinds():
    assert {"nmu", "film", "multiply_unit", *ON_IMAGES} <= {*LAYERS}


@pytest.mark.parametrize("name", [*LAYERS, *VARIANTS])
def test_every_layer(name, problem):
    network = find_network(name)
    if name in ON_IMAGES:
        assert network.input_rank == 3
        images = problem("placed_digits/digit", "images")
        model = network(images).model(3, "relu")
        assert model.output_shape == (None, 10)
        assert len(layers_of(model, LAYERS[name].layer)) == 3
        return
    kind = LAYERS[name.partition(":")[0]].layer
    for task, units in (("elementwise_mul", 8), ("dot", 1)):
        for depth in (1, 2):
            vectors = problem(task, "random")
            model = network(vectors).model(depth, "linear")
            assert model.output_shape == (None, units)
            assert [shape[1:] for shape in model.input_shape] == [(8,), (8,)]
            assert len(layers_of(model, kind)) == 1


@pytest.mark.parametrize("name", sorted({*LAYERS} - ON_IMAGES))
def test_a_single_vector(name, problem):
    """Networks of two vectors get it twice."""
    network = find_network(name)(problem("arithmetic_ops/mul", "uniform"))
    for depth in network.depths:
        model = network.model(depth, "linear")
        assert model.output_shape == (None, 1)
        assert len(model.inputs) == 1


def test_arguments_reach_the_layer(problem):
    name = "multiplicative_interaction:form=low_rank, rank=3"
    model = find_network(name)(problem("dot", "random")).model(1, "linear")
    (layer,) = layers_of(model, layers.MultiplicativeInteraction)
    assert layer.form == "low_rank" and layer.rank == 3 and layer.units == 1

    name = "nau:regularizer_warmup=(10,20),use_bias=False,kernel_regularizer=l2"
    with pytest.raises(ValueError, match="NAU: Unrecognized keyword.*use_bias"):
        find_network(name)
    name = name.replace("use_bias=False,", "")
    model = find_network(name)(problem("dot", "random")).model(1, "linear")
    (layer,) = layers_of(model, layers.NAU)
    assert layer.regularizer_warmup == (10, 20)
    assert isinstance(layer.kernel_regularizer, keras.regularizers.L2)


def test_own_layers_take_arguments_too(problem):
    name = "keras.layers:Conv2D:filters=5,padding=valid"
    images = problem("placed_digits/digit", "images")
    model = find_network(name)(images).model(2, "tanh")
    first, second = layers_of(model, keras.layers.Conv2D)
    for layer, strides in ((first, (2, 2)), (second, (1, 1))):
        assert layer.filters == 5 and layer.padding == "valid"
        assert layer.strides == strides and layer.kernel_size == (3, 3)
        assert layer.activation is keras.activations.tanh


def test_forms_that_keep_the_width(problem):
    """They are made without `units`, and a dense layer follows."""
    name = "multiplicative_interaction:form=diagonal"
    narrow = find_network(name)(problem("dot", "random")).model(1, "linear")
    (layer,) = layers_of(narrow, layers.MultiplicativeInteraction)
    assert layer.units is None and layer.output.shape == (None, 8)
    assert len(layers_of(narrow, keras.layers.Dense)) == 1
    wide = find_network(name)(problem("elementwise_mul", "random"))
    assert not layers_of(wide.model(1, "linear"), keras.layers.Dense)


def test_all_pixels_are_valid_to_a_partial_convolution(problem):
    images = problem("placed_digits/digit", "images")
    x = images.x("test")[:4]
    name = "partial_conv_2d:padding=valid"
    keras.utils.set_random_seed(0)
    partial = find_network(name)(images).model(2, "relu")
    plain = find_network(name.replace("partial_conv_2d", "keras.layers:Conv2D"))
    plain = plain(images).model(2, "relu")
    plain.set_weights(partial.get_weights())
    expected = keras.ops.convert_to_numpy(plain(x))
    actual = keras.ops.convert_to_numpy(partial(x))
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "name, message",
    [
        (
            "film:gama=1",
            "The network 'film:gama=1': FiLM: Unrecognized keyword arguments",
        ),
        (
            "multiplicative_interaction:form=diag",
            "The network 'multiplicative_interaction:form=diag': Multi.*"
            "Invalid value for argument `form`. Expected one of .*'diag'",
        ),
        (
            "film:residual=",
            "The network 'film:residual=': Its arguments should be like "
            "'form=low_rank,rank=8'. Received: 'residual='",
        ),
        ("film:3,a=4", "Received: '3,a=4' .not all of them are named"),
        ("film:a=b=c", "Its arguments should be like"),
        (
            "multiply:units=3",
            "The network 'multiply' takes no arguments, which layers alone "
            "do. Received: 'units=3'",
        ),
        ("flim:residual=True", "Unknown network 'flim'. Did you mean film"),
        (
            "keras.layers:MultiHeadAttention",
            "MultiHeadAttention: .*missing 2 required .*num_heads",
        ),
    ],
)
def test_refused(name, message):
    with pytest.raises(ValueError, match=message):
        find_network(name)


def test_inputs_that_a_layer_does_not_take(problem):
    network = find_network("keras.layers:Conv1D")
    # The words are Keras's, and differ from backend to backend.
    with pytest.raises(ValueError, match="incompatible|Kernel shape"):
        network(problem("placed_digits/digit", "images")).model(2, "relu")


@pytest.mark.parametrize(
    "text, value",
    [
        ("false", False),
        ("False", False),
        ("TRUE", True),
        ("none", None),
        ("3", 3),
        ("-1e-3", -0.001),
        ("(1, 2)", (1, 2)),
        ("silu", "silu"),
        ("'two words'", "two words"),
    ],
)
def test_values_of_arguments(text, value):
    network = find_network(f"test_tuning.my_networks:Product:option={text}")
    assert network.kwargs == {"option": value}


def test_booleans_are_booleans(problem):
    """A word that is true because it is not empty would train another layer."""
    for text in ("false", "False", "FALSE"):
        network = find_network(f"film:residual={text}")
        model = network(problem("dot", "random")).model(1, "linear")
        (layer,) = layers_of(model, layers.FiLM)
        assert layer.residual is False


class Single(keras.layers.Dense):
    called_on = "vector"


class Undecided(keras.layers.Dense):
    called_on = "anything"


class Buggy(keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.width = units + None


def test_own_layers_say_what_they_are_called_on(problem):
    name = f"{__name__}:Single"
    model = find_network(name)(problem("dot", "random")).model(1, "linear")
    (layer,) = layers_of(model, Single)
    assert layer.input.shape == (None, 16)
    with pytest.raises(
        ValueError, match="Expected one of pair, vector, .*'anything'"
    ):
        find_network(f"{__name__}:Undecided")


def test_a_layer_that_cannot_be_made(problem):
    with pytest.raises(ValueError) as caught:
        check_layer(f"{__name__}:Buggy", problem("dot", "random"))
    line = inspect.getsourcelines(Buggy)[1] + 3
    assert str(caught.value) == (
        f"The network '{__name__}:Buggy': Buggy cannot be made: TypeError: "
        "unsupported operand type(s) for +: 'int' and 'NoneType' "
        f"(test_layers.py, line {line})"
    )


def test_add_a_network(problem, monkeypatch):
    class Mine(Network):
        depths = (1,)
        activations = ("linear",)

        def outputs(self, a, b, depth, activation):
            return keras.layers.Dense(self.units)(a + b)

    monkeypatch.setitem(registry.NETWORKS, "mine", Mine)
    model = find_network("mine")(problem("dot", "random")).model(1, "linear")
    assert model.output_shape == (None, 1)
    find_network.cache_clear()
