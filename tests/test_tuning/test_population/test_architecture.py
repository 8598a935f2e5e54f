import re

import keras
import pytest

from test_tuning import small
from tuning import Population
from tuning.population.architecture import Architecture
from tuning.population.stateless_optimizer import stateless_optimizer


def functional(units=4, operation=keras.ops.relu, name=None, rate=0.1):
    """A model with operations, which Keras numbers as it does layers."""
    inputs = keras.Input((8,))
    x = operation(keras.layers.Dense(units)(inputs)) + 1
    model = keras.Model(inputs, keras.layers.Dense(1, name=name)(x))
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def nested(activation="relu"):
    inner = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(3, activation=activation)]
    )
    return small.model(body=[inner, keras.layers.Dropout(0.0)])


class WithoutConfig(keras.layers.Layer):
    """Keras writes its configuration by itself, and leaves out the name."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def call(self, x):
        return x * self.units


def without_config(units=4):
    inputs = keras.Input((8,))
    outputs = keras.layers.Dense(1)(WithoutConfig(units)(inputs))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    return model


def test_what_members_may_differ_in():
    same = Architecture(small.model(1e-2, seed=0))
    assert Architecture(small.model(1e2, seed=5)) == same
    assert hash(Architecture(small.model(1e2, seed=5))) == hash(same)


@pytest.mark.parametrize("make", [functional, nested, without_config])
def test_automatic_names_make_no_difference(make):
    assert Architecture(make()) == Architecture(make())


def test_own_names_make_no_difference():
    assert Architecture(functional(name="mine")) == Architecture(functional())


DIFFERENT = {
    "units": lambda: small.model(outputs=3),
    "activation": lambda: small.model(activation="relu"),
    "layers": lambda: small.model(body=[keras.layers.Dense(6)]),
    "loss": lambda: small.model(loss="mae"),
    "loss's setting": lambda: small.model(loss=keras.losses.Huber(0.5)),
    "metrics": lambda: small.model(metrics=["mse"]),
    "metric's setting": lambda: small.model(metrics=[small.accuracy(0.2)]),
    "optimizer": lambda: small.model(optimizer=keras.optimizers.SGD),
    "optimizer's setting": lambda: small.model(
        optimizer=lambda rate: keras.optimizers.Adam(rate, beta_1=0.5)
    ),
    "regularizer": lambda: small.model(kernel_regularizer="l2"),
    "constraint": lambda: small.model(kernel_constraint="non_neg"),
    "bias": lambda: small.model(use_bias=False),
    "trainable": lambda: small.model(trainable=False),
    "dtype": lambda: small.model(dtype="mixed_bfloat16"),
}


@pytest.mark.parametrize("make", DIFFERENT.values(), ids=DIFFERENT)
def test_what_they_may_not_differ_in(make):
    one, other = small.model(), make()
    assert Architecture(one) != Architecture(other)
    with pytest.raises(
        ValueError,
        match="should have one architecture. Received: "
        f"'{one.name}' and '{other.name}', which differ in more than",
    ):
        Population([one, other])


def test_operations_and_nested_models_differ_too():
    assert Architecture(without_config(3)) != Architecture(without_config())
    different = [
        functional(),
        functional(5),
        functional(operation=keras.ops.tanh),
        nested(),
        nested("tanh"),
    ]
    assert len({Architecture(each) for each in different}) == 5


class Own(keras.Model):
    def train_step(self, data):
        return {}


def own_train_step():
    inputs = keras.Input((8,))
    model = Own(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    return model


def eager():
    model = small.model()
    model.compile("sgd", "mse", run_eagerly=True)
    return model


def excluding(rate):
    optimizer = keras.optimizers.AdamW(rate)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


class OwnOptimizer(keras.optimizers.SGD):
    """Its rule could be any."""

    def update_step(self, gradient, variable, learning_rate):
        pass


def unbuilt():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def uncompiled():
    return keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(1)], name="raw"
    )


MEMBER = "A population's member should be "
REFUSED = {
    "a layer": (
        lambda: keras.layers.Dense(1),
        MEMBER + "a built Keras model. Received: <Dense",
    ),
    "unbuilt": (unbuilt, MEMBER + "a built Keras model. Received: <Sequential"),
    "uncompiled": (
        uncompiled,
        MEMBER + "compiled with an optimizer and a loss. Received: the model "
        "'raw', which is not.",
    ),
    "own train_step": (
        own_train_step,
        MEMBER + "trained as Keras does. Received: a Own with its own "
        "`train_step`",
    ),
    "no loss": (
        lambda: small.model(loss=None),
        MEMBER + "compiled with an optimizer and a loss. Received: the model ",
    ),
    "eager": (
        eager,
        MEMBER + "compiled without `run_eagerly=True`.",
    ),
    "Nadam, its loss scaled": (
        lambda: small.model(
            optimizer=lambda rate: keras.optimizers.LossScaleOptimizer(
                keras.optimizers.Nadam(rate)
            )
        ),
        "The optimizer of a population's member should not scale the loss "
        "around Nadam. Received: optimizer=",
    ),
    "excluded from weight decay": (
        lambda: small.model(optimizer=excluding),
        "The optimizer of a population's member should apply weight decay to "
        "all variables. Received: one told to exclude some",
    ),
}


@pytest.mark.parametrize("make, message", REFUSED.values(), ids=REFUSED)
def test_refused(make, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        Population([make()])


@pytest.mark.backends("tensorflow", "torch")
@pytest.mark.parametrize(
    "optimizer",
    [
        OwnOptimizer,
        lambda rate: keras.optimizers.LossScaleOptimizer(OwnOptimizer(rate)),
    ],
    ids=["own", "scaled loss"],
)
def test_refused_optimizers(optimizer):
    with pytest.raises(
        ValueError, match="should be one of `keras.optimizers`. Received: opt"
    ):
        Population([small.model(optimizer=optimizer)])


@pytest.mark.backends("torch")
@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Dropout(0.5, seed=1),
        keras.layers.GaussianNoise(0.5),
    ],
    ids=["seeded", "noise"],
)
def test_random_layers_are_refused_where_they_cannot_be_mapped(layer):
    with pytest.raises(
        ValueError,
        match=r"^On torch a population's member can draw random numbers in "
        r"`Dropout` without a seed alone. Received: a model with the seeds "
        r".*seed_generator_state",
    ):
        Population([small.model(body=[layer])])


def closing_over(gamma):
    def loss(y, predictions):
        return keras.ops.mean(keras.ops.abs(y - predictions) ** gamma, -1)

    return small.model(loss=loss)


def with_own_layer(gamma):
    layer = Powers()
    layer.gamma = gamma
    return small.model(body=[layer])


class Powers(keras.layers.Layer):
    def call(self, inputs):
        return inputs**self.gamma


class Focal(keras.losses.Loss):
    """It does not tell its configuration."""

    def __init__(self, gamma):
        super().__init__()
        self.gamma = gamma

    def call(self, y, predictions):
        return keras.ops.mean(keras.ops.abs(y - predictions) ** self.gamma, -1)


def with_own_activation(gamma):
    def powers(inputs):
        return inputs**gamma

    return small.model(activation=powers)


@pytest.mark.parametrize(
    "make",
    [
        closing_over,
        with_own_layer,
        lambda gamma: small.model(loss=Focal(gamma)),
        lambda gamma: small.model(activation=lambda x: x**gamma),
    ],
    ids=["closure", "layer", "loss", "lambda"],
)
def test_what_own_parts_hold_tells_them_apart(make):
    one, same, other = make(2), make(2), make(3)
    assert Architecture(one) == Architecture(same)
    assert Architecture(one) != Architecture(other)


def test_what_cannot_be_compared_differs():
    one, same = with_own_activation(2), with_own_activation(2)
    assert Architecture(one) != Architecture(same)
    assert Architecture(one) == Architecture(one)


def test_applying_changes_nothing_outside():
    model = small.model(optimizer=keras.optimizers.RMSprop)
    before = model.get_weights()
    copy, apply = stateless_optimizer(
        model.optimizer, model.trainable_variables
    )
    values = [variable.value for variable in model.trainable_variables]
    state = [variable.value for variable in copy.variables]
    gradients = [keras.ops.ones_like(value) for value in values]
    stepped, new_state = apply(state, gradients, values)
    small.same_weights(model.get_weights(), before, rtol=0)
    assert int(model.optimizer.iterations) == int(copy.iterations) == 0
    assert int(new_state[0]) == 1
    model.optimizer.apply(gradients, model.trainable_variables)
    small.same_weights(
        [keras.ops.convert_to_numpy(each) for each in stepped],
        model.get_weights(),
        rtol=1e-5,
        atol=1e-6,
    )
