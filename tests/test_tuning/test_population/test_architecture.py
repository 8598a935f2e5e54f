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


def test_what_members_may_differ_in():
    same = Architecture(small.model(1e-2, seed=0))
    assert Architecture(small.model(1e2, seed=5)) == same
    assert hash(Architecture(small.model(1e2, seed=5))) == hash(same)


@pytest.mark.parametrize("make", [functional, nested])
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


def with_optimizer(**options):
    return lambda: small.model(
        optimizer=lambda rate: keras.optimizers.Adam(rate, **options)
    )


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
OPTIMIZER = (
    "The optimizer of a population's member should update each variable by "
    "its gradient alone. Received: "
)
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
        "A population's member should have exactly one loss. Received: "
        "loss=None",
    ),
    "two losses": (
        lambda: small.model(loss=["mse", "mae"]),
        "A population's member should have exactly one loss. Received: loss=",
    ),
    "accuracy": (
        lambda: small.model(metrics=["accuracy"]),
        "The metrics of a population's member should be named in full, "
        "`keras.metrics.SparseCategoricalAccuracy()` for example. Received: "
        "metrics='accuracy'",
    ),
    "nested metrics": (
        lambda: small.model(metrics=[["mae"]]),
        "The metrics of a population's member should be a flat list. "
        "Received: metrics=[['mae']]",
    ),
    "clipping": (with_optimizer(clipnorm=1.0), OPTIMIZER + "clipnorm=1.0"),
    "clipping by value": (
        with_optimizer(clipvalue=0.5),
        OPTIMIZER + "clipvalue=0.5",
    ),
    "global clipping": (
        with_optimizer(global_clipnorm=2.0),
        OPTIMIZER + "global_clipnorm=2.0",
    ),
    "weight decay": (
        with_optimizer(weight_decay=0.1),
        OPTIMIZER + "weight_decay=0.1",
    ),
    "averaging": (with_optimizer(use_ema=True), OPTIMIZER + "use_ema=True"),
    "accumulation": (
        with_optimizer(gradient_accumulation_steps=4),
        OPTIMIZER + "gradient_accumulation_steps=4",
    ),
    "loss scaling": (
        with_optimizer(loss_scale_factor=8.0),
        OPTIMIZER + "loss_scale_factor=8.0",
    ),
    **{
        name: (
            lambda optimizer=optimizer: small.model(optimizer=optimizer),
            "The optimizer of a population's member should be one of "
            "`keras.optimizers`, other than Nadam and LossScaleOptimizer. "
            "Received: optimizer=<",
        )
        for name, optimizer in [
            ("own optimizer", OwnOptimizer),
            ("Nadam", keras.optimizers.Nadam),
            (
                "scaled loss",
                lambda rate: keras.optimizers.LossScaleOptimizer(
                    keras.optimizers.SGD(rate)
                ),
            ),
        ]
    },
}


@pytest.mark.parametrize("make, message", REFUSED.values(), ids=REFUSED)
def test_refused(make, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        Population([make()])


@pytest.mark.backends("torch")
def test_random_layers_are_refused_where_they_cannot_be_mapped():
    body = [keras.layers.Dropout(0.5)]
    with pytest.raises(
        ValueError,
        match=r"^On torch a population's member cannot draw random numbers "
        r"while it is trained \(dropout and noise layers do\). Received: a "
        r"model with the seeds .*seed_generator_state",
    ):
        Population([small.model(body=body)])


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
