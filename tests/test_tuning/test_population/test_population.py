import keras
import numpy as np
import pytest
from keras import ops

from kmul import layers
from kmul import regularizers
from test_tuning import small
from tuning import Population

BOTH_WAYS = pytest.mark.parametrize(
    "vectorize", [False, True], ids=["in turn", "together"]
)


def weights_of(population):
    return [population.member_weights(i) for i in range(population.num_members)]


def momentum(rate):
    return keras.optimizers.SGD(rate, momentum=0.9)


@BOTH_WAYS
@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.Adam,
        momentum,
        keras.optimizers.RMSprop,
    ],
    ids=lambda optimizer: optimizer.__name__,
)
def test_members_are_as_trained_alone(optimizer, vectorize):
    """Different rates and seeds, the same numbers as Keras's own `fit`."""
    x, y = small.records()
    made = [
        {"rate": rate, "seed": seed, "optimizer": optimizer}
        for rate, seed in [(1e-3, 0), (3e-2, 0), (3e-2, 1)]
    ]
    population = Population(
        [small.model(**each) for each in made], None, vectorize
    )
    before = weights_of(population)
    population.fit(x, y, batch_size=8, steps_per_epoch=12)
    for i, each in enumerate(made):
        alone = small.model(**each)
        small.same_weights(alone.get_weights(), before[i])
        small.fit(alone, x, y, batch_size=8, steps=12)
        small.same_weights(
            population.member_weights(i),
            alone.get_weights(),
            rtol=2e-4,
            atol=2e-5,
        )
        assert not np.allclose(before[i][0], alone.get_weights()[0], atol=1e-3)
    after = weights_of(population)
    assert not np.allclose(after[0][0], after[1][0], atol=1e-3)
    assert not np.allclose(after[1][0], after[2][0], atol=1e-3)
    assert population.steps.tolist() == [12, 12, 12]


def test_convolutions():
    """They have a loop of their own on a CPU."""

    def convolutional(rate, seed):
        initializer = keras.initializers.GlorotUniform(seed)
        model = keras.Sequential(
            [
                keras.Input((small.WIDTH, small.WIDTH, 1)),
                keras.layers.Conv2D(
                    2, 3, activation="tanh", kernel_initializer=initializer
                ),
                keras.layers.Flatten(),
                keras.layers.Dense(3, kernel_initializer=initializer),
            ]
        )
        model.compile(keras.optimizers.Adam(rate), "mse")
        return model

    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, small.WIDTH, small.WIDTH, 1)).astype("float32")
    y = rng.normal(size=(32, 3)).astype("float32")
    made = [(1e-2, 0), (3e-2, 1), (float("1e30"), 2)]
    population = Population([convolutional(*each) for each in made])
    population.fit(x, y, batch_size=8, steps_per_epoch=4, epochs=2)
    for i, each in enumerate(made[:2]):
        alone = convolutional(*each)
        small.fit(alone, x, y, batch_size=8, steps=8)
        small.same_weights(
            population.member_weights(i),
            alone.get_weights(),
            rtol=2e-4,
            atol=2e-5,
        )
    assert population.diverged.tolist() == [False, False, True]
    assert population.steps.tolist() == [8, 8, 4]


def test_splits_at_indices():
    """Their indices are read while a step is recorded on torch."""

    def splitting(rate):
        x = keras.Input((small.WIDTH,))
        hidden = keras.layers.Dense(
            5, kernel_initializer=keras.initializers.GlorotUniform(0)
        )(x)
        first, second = ops.split(hidden, [2], axis=-1)
        y = ops.concatenate([first**2, second], axis=-1)
        model = keras.Model(x, y)
        model.compile(keras.optimizers.Adam(rate), "mse")
        return model

    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, small.WIDTH)).astype("float32")
    y = rng.normal(size=(32, 5)).astype("float32")
    rates = 1e-2, 3e-2
    population = Population([splitting(rate) for rate in rates])
    population.fit(x, y, batch_size=8, steps_per_epoch=4, epochs=2)
    for i, rate in enumerate(rates):
        alone = splitting(rate)
        small.fit(alone, x, y, batch_size=8, steps=8)
        small.same_weights(
            population.member_weights(i),
            alone.get_weights(),
            rtol=2e-4,
            atol=2e-5,
        )


def test_losses_are_those_of_training_alone():
    """The epoch's mean loss, and validation after it, epoch by epoch."""
    x, y = small.records()
    x_val, y_val = small.records(50, seed=1)
    population = Population([small.model(1e-2), small.model(1e-1, seed=1)])
    history = population.fit(
        x,
        y,
        batch_size=16,
        epochs=3,
        shuffle=False,
        validation_data=(x_val, y_val),
    ).history
    assert set(history) == {
        "loss",
        "val_loss",
        "val_mae",
    }
    for i, each in enumerate([small.model(1e-2), small.model(1e-1, seed=1)]):
        alone = each.fit(
            x,
            y,
            batch_size=16,
            epochs=3,
            shuffle=False,
            validation_data=(x_val, y_val),
            verbose=0,
        ).history
        for name, theirs in [
            ("loss", "loss"),
            ("val_loss", "val_loss"),
            ("val_mae", "val_mae"),
        ]:
            np.testing.assert_allclose(
                [values[i] for values in history[name]],
                alone[theirs],
                rtol=2e-4,
            )


@BOTH_WAYS
def test_a_members_numbers_do_not_depend_on_its_company(vectorize):
    """A member that diverges at once changes nothing for the others."""
    x, y = small.records()
    rates = [1e-3, 1e10, 1e-1]

    def trained(rates):
        population = Population(
            [small.model(rate, optimizer=momentum) for rate in rates],
            vectorize=vectorize,
        )
        population.fit(x, y, batch_size=8, epochs=3, validation_data=(x, y))
        return population

    company = trained(rates)
    assert company.diverged.tolist() == [False, True, False]
    assert company.steps[[0, 2]].tolist() == [24, 24]
    assert not np.isfinite(company.evaluate(x, y)["loss"][1])
    without = trained([rates[0], rates[2]])
    exact = keras.config.backend() == "jax" and not vectorize
    for mine, theirs in ((0, 0), (2, 1)):
        small.same_weights(
            company.member_weights(mine),
            without.member_weights(theirs),
            **({"rtol": 0} if exact else {"rtol": 1e-4, "atol": 1e-6}),
        )


def test_the_same_again():
    x, y = small.records()

    def trained():
        population = Population([small.model(1e-2), small.model(1e-1)])
        population.fit(x, y, batch_size=8, epochs=2)
        return weights_of(population)

    for one, other in zip(trained(), trained(), strict=True):
        small.same_weights(one, other, rtol=0)


@BOTH_WAYS
def test_own_labels(vectorize):
    x, y = small.records()

    def negative(x):
        return -x[:, :2]

    population = Population([small.model()] * 3, [1e-2] * 3, vectorize)
    history = population.fit(
        x,
        [y, negative],
        label_indices=[0, 1, 0],
        batch_size=8,
        validation_data=(x, [y, negative]),
    ).history
    for i, label in enumerate([y, -x[:, :2], y]):
        alone = small.model()
        small.fit(alone, x, label, steps=8)
        small.same_weights(
            population.member_weights(i), alone.get_weights(), atol=2e-5
        )
        assert history["val_loss"][0][i] == pytest.approx(
            alone.evaluate(x, label, verbose=0)[0], rel=1e-4
        )


@pytest.mark.parametrize(
    "labels", [[0, 2, 0], [0, -1, 0], [0, 0], 0, [[0, 0, 0]]]
)
def test_bad_labels(labels):
    x, y = small.records()
    population = Population([small.model()] * 3)
    with pytest.raises(
        ValueError,
        match=r"argument `label_indices`. .*2 label arrays.*3 members",
    ):
        population.fit(x, [y, y], label_indices=labels)


def test_reached_members_stay_as_they_were():
    """Weights, optimizer state and step of the epoch that reached it."""
    x, y = small.records()
    arguments = {
        "batch_size": 8,
        "epochs": 12,
        "validation_data": (x, y),
        "monitor": "val_accuracy",
        "target": 0.9,
    }

    def members():
        return [
            small.model(rate, metrics=[small.accuracy(0.15)])
            for rate in (1e-6, 1e-1)
        ]

    population = Population(members())
    kept = {}

    def keep(epoch, logs):
        if logs["val_accuracy"][1] >= 0.9 and not kept:
            kept["epoch"] = epoch
            kept["weights"] = population.member_weights(1)
            kept["optimizer"] = [
                ops.convert_to_numpy(each)
                for each in population.member(1).optimizer.variables
            ]

    history = population.fit(
        x,
        y,
        **arguments,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=keep)],
    ).history
    assert 0 < kept["epoch"] < 11
    assert population.reached.tolist() == [False, True]
    assert population.steps.tolist() == [12 * 8, (kept["epoch"] + 1) * 8]
    small.same_weights(population.member_weights(1), kept["weights"], rtol=0)
    small.same_weights(
        population.member(1).optimizer.variables, kept["optimizer"], rtol=0
    )
    scores = [float(each[1]) for each in history["val_accuracy"]]
    assert all(score < 0.9 for score in scores[: kept["epoch"]])
    assert len(set(scores[kept["epoch"] :])) == 1
    losses = [each[1] for each in history["loss"]]
    assert np.isfinite(losses[: kept["epoch"] + 1]).all()
    assert np.isnan(losses[kept["epoch"] + 1 :]).all()


def test_training_ends_when_every_member_has_ended():
    x, y = small.records()
    population = Population(
        [small.model(rate, optimizer=momentum) for rate in (1e-1, 1e10)]
    )
    history = population.fit(
        x,
        y,
        batch_size=8,
        epochs=1000,
        validation_data=(x, y),
        monitor="val_loss",
        target=0.05,
        mode="min",
    ).history
    assert len(history["loss"]) < 100
    assert population.reached.tolist() == [True, False]
    assert population.diverged.tolist() == [False, True]
    assert history["val_loss"][-1][0] <= 0.05


def test_a_member_is_a_keras_model(tmp_path):
    """It predicts the same, is trained on as if never away, and is saved."""
    x, y = small.records()
    population = Population([small.model(1e-3), small.model(1e-2, seed=3)])
    population.fit(x, y, batch_size=8, steps_per_epoch=12, shuffle=False)
    member = population.member(1)
    assert float(member.optimizer.learning_rate) == pytest.approx(1e-2)
    assert int(member.optimizer.iterations) == 12
    predictions = member.predict(x, verbose=0)
    outputs = ops.convert_to_numpy(population(ops.convert_to_tensor(x[:5])))
    np.testing.assert_allclose(outputs[:, 1], predictions[:5], atol=1e-6)
    assert population.compute_output_shape((5, 8)) == outputs.shape == (5, 2, 2)
    member.save(tmp_path / "member.keras")
    loaded = keras.saving.load_model(tmp_path / "member.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), predictions)
    # Four steps more, by Keras, where a population takes 16.
    order = small.in_order(x, y, 8, 16, shuffle=False)
    rest = [each[12 * 8 :] for each in order]
    member.fit(*rest, batch_size=8, shuffle=False, verbose=0)
    assert int(member.optimizer.iterations) == 16
    longer = Population([small.model(1e-2, seed=3)])
    longer.fit(x, y, batch_size=8, steps_per_epoch=16, shuffle=False)
    small.same_weights(
        member.get_weights(), longer.member_weights(0), rtol=1e-4, atol=1e-5
    )


def test_members_given_are_not_changed():
    x, y = small.records()
    members = [small.model(1e-2), small.model(1e-1)]
    before = [each.get_weights() for each in members]
    Population(members).fit(x, y)
    for member, weights in zip(members, before, strict=True):
        small.same_weights(member.get_weights(), weights, rtol=0)
        assert int(member.optimizer.iterations) == 0


def test_learning_rates_may_be_given():
    x, y = small.records()
    population = Population([small.model(5.0)] * 2, [1e-3, 1e-2])
    population.fit(x, y, batch_size=8)
    alone = small.model(1e-2)
    small.fit(alone, x, y, steps=8)
    small.same_weights(
        population.member_weights(1), alone.get_weights(), atol=2e-5
    )


@BOTH_WAYS
@pytest.mark.parametrize("records, batch_size", [(50, 1000), (50, 16)])
def test_evaluate_is_that_of_each_member(records, batch_size, vectorize):
    x, y = small.records(records)
    metrics = ["mae", small.accuracy(), keras.metrics.RootMeanSquaredError()]
    population = Population(
        [small.model(seed=seed, metrics=metrics) for seed in range(3)],
        vectorize=vectorize,
    )
    scores = population.evaluate(x, y, batch_size=batch_size)
    assert list(scores) == [
        "loss",
        "mae",
        "accuracy",
        "root_mean_squared_error",
    ]
    for i in range(3):
        expected = population.member(i).evaluate(x, y, 16, verbose=0)
        np.testing.assert_allclose(
            [values[i] for values in scores.values()], expected, rtol=1e-5
        )


def test_several_inputs():
    a, b = small.records()[0], small.records(seed=1)[0]

    def make(rate):
        inputs = [keras.Input((8,), name=name) for name in "ab"]
        x = keras.layers.Multiply()(
            [
                keras.layers.Dense(4, kernel_initializer="ones")(i)
                for i in inputs
            ]
        )
        model = keras.Model(
            inputs, keras.layers.Dense(1, kernel_initializer="ones")(x)
        )
        model.compile(keras.optimizers.Adam(rate), "mse")
        return model

    def label(a, b):
        return (a * b).sum(axis=1, keepdims=True)

    population = Population([make(1e-3), make(1e-2)])
    population.fit([a, b], label, batch_size=8, steps_per_epoch=10)
    alone = make(1e-2)
    small.fit(alone, [a, b], label(a, b), steps=10)
    small.same_weights(
        population.member_weights(1), alone.get_weights(), rtol=1e-4, atol=1e-5
    )


def test_regularizers_and_constraints():
    x, y = small.records()

    def make(rate):
        return small.model(
            rate,
            optimizer=momentum,
            body=[
                keras.layers.Dense(
                    5,
                    kernel_initializer="ones",
                    kernel_constraint=keras.constraints.UnitNorm(),
                    activity_regularizer="l2",
                )
            ],
            kernel_regularizer=keras.regularizers.L1L2(0.01, 0.01),
        )

    population = Population([make(1e-3), make(3e-2)])
    population.fit(x, y, batch_size=8, steps_per_epoch=12)
    for i, rate in enumerate([1e-3, 3e-2]):
        alone = make(rate)
        small.fit(alone, x, y)
        small.same_weights(
            population.member_weights(i),
            alone.get_weights(),
            rtol=1e-4,
            atol=2e-5,
        )
        norms = np.linalg.norm(population.member_weights(i)[2], axis=0)
        np.testing.assert_allclose(norms, 1, rtol=1e-5)
        loss = population.evaluate(x, y)["loss"][i]
        assert loss == pytest.approx(
            alone.evaluate(x, y, 64, verbose=0)[0], rel=1e-4
        )


def test_a_regularizer_that_sets_in_with_the_steps():
    """Each member counts its own."""
    x, y = small.records()

    def make(rate):
        unit = layers.NAU(
            5,
            kernel_initializer=keras.initializers.GlorotUniform(5),
            kernel_regularizer=regularizers.Discreteness(0.5),
            regularizer_warmup=(2, 8),
        )
        return small.model(rate, optimizer=momentum, body=[unit])

    population = Population([make(1e-3), make(3e-2)])
    population.fit(x, y, batch_size=8, steps_per_epoch=12)
    for i, rate in enumerate([1e-3, 3e-2]):
        alone = make(rate)
        small.fit(alone, x, y)
        small.same_weights(
            population.member_weights(i),
            alone.get_weights(),
            rtol=1e-4,
            atol=2e-5,
        )


class Doubled(keras.layers.Layer):
    """A user's layer, not registered anywhere."""

    def call(self, inputs):
        return 2 * inputs


def test_member_with_a_layer_that_is_not_registered():
    x, y = small.records()
    population = Population([small.model(body=[Doubled()])])
    population.fit(x, y, batch_size=8, steps_per_epoch=2)
    predicted = population.member(0).predict(x, verbose=0)
    np.testing.assert_allclose(
        predicted, ops.convert_to_numpy(population(x))[:, 0], rtol=1e-5
    )


@BOTH_WAYS
def test_batch_normalization_is_kept_per_member(vectorize):
    x, y = small.records()

    def make(rate):
        return small.model(rate, body=[keras.layers.BatchNormalization()])

    population = Population([make(1e-3), make(1e-1)], vectorize=vectorize)
    population.fit(x, y, batch_size=8, steps_per_epoch=12)
    for i, rate in enumerate([1e-3, 1e-1]):
        alone = make(rate)
        small.fit(alone, x, y)
        weights = population.member_weights(i)
        small.same_weights(weights, alone.get_weights(), rtol=1e-3, atol=1e-4)
        assert population.evaluate(x, y)["loss"][i] == pytest.approx(
            alone.evaluate(x, y, verbose=0)[0], rel=1e-3
        )
    moving = [population.member_weights(i)[4] for i in range(2)]
    assert not np.allclose(*moving, atol=1e-4)


@BOTH_WAYS
@pytest.mark.backends("jax", "tensorflow")
def test_dropout(vectorize):
    """Every member draws of its own seed, and gets on with it."""
    x, y = small.records()

    def make(seed):
        return small.model(1e-2, body=[keras.layers.Dropout(0.5, seed=seed)])

    population = Population([make(1), make(1), make(2)], vectorize=vectorize)
    history = population.fit(x, y, batch_size=8, epochs=3).history
    weights = weights_of(population)
    small.same_weights(weights[0], weights[1], rtol=1e-6)
    assert not np.allclose(weights[0][0], weights[2][0], atol=1e-4)
    alone = make(1)
    # XLA, which the population is compiled by, draws other random numbers than
    # TensorFlow alone.
    alone.jit_compile = True
    small.fit(alone, x, y, steps=24)
    small.same_weights(weights[0], alone.get_weights(), atol=2e-5)
    # Nothing is dropped in evaluation.
    again = [population.evaluate(x, y)["loss"] for _ in range(2)]
    np.testing.assert_array_equal(*again)
    assert again[0][0] < history["loss"][-1][0]


def test_mixed_precision():
    """Members keep their dtype policy, their weights stay in float32."""
    x, y = small.records()
    keras.config.set_dtype_policy("mixed_bfloat16")
    population = Population([small.model(1e-2), small.model(1e-1)])
    before = population.evaluate(x, y)["loss"]
    population.fit(x, y, batch_size=8, epochs=3)
    assert (population.evaluate(x, y)["loss"] < before).all()
    assert population.member_weights(0)[0].dtype == "float32"


def test_fitting_again_goes_on():
    x, y = small.records()
    parts, whole = (Population([small.model(1e-2)]) for _ in range(2))
    for _ in range(2):
        parts.fit(x, y, batch_size=8, shuffle=False)
    whole.fit(x, y, batch_size=8, shuffle=False, epochs=2)
    assert parts.steps.tolist() == whole.steps.tolist() == [16]
    small.same_weights(
        parts.member_weights(0), whole.member_weights(0), rtol=1e-5
    )


def test_steps_that_do_not_fit_a_call():
    """More steps than one call of the compiled loop takes."""
    x, y = small.records()
    population = Population([small.model(1e-3)])
    population.fit(x, y, batch_size=4, steps_per_epoch=300)
    assert population.steps.tolist() == [300]
    assert int(population.member(0).optimizer.iterations) == 300


def test_callbacks():
    x, y = small.records()
    calls = []

    class Watch(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            calls.append("begin")

        def on_train_end(self, logs=None):
            calls.append("end")

        def on_epoch_begin(self, epoch, logs=None):
            calls.append(("epoch", epoch))

        def on_epoch_end(self, epoch, logs=None):
            assert self.model is population
            assert {name: len(values) for name, values in logs.items()} == {
                "loss": 2,
                "val_loss": 2,
                "val_mae": 2,
            }
            self.model.stop_training = epoch == 1

    population = Population([small.model(1e-2), small.model(1e-1)])
    history = population.fit(
        x, y, epochs=5, validation_data=(x, y), callbacks=[Watch()]
    )
    assert calls == ["begin", ("epoch", 0), ("epoch", 1), "end"]
    assert history.epoch == [0, 1]
    # It was for that training alone.
    assert len(population.fit(x, y, epochs=2).epoch) == 2


def test_interrupt_keeps_what_was_learned():
    x, y = small.records()

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    population = Population([small.model(1e-2)])
    with pytest.raises(KeyboardInterrupt):
        population.fit(x, y, epochs=9, shuffle=False, callbacks=[Interrupt()])
    assert population.steps.tolist() == [4]
    other = Population([small.model(1e-2)])
    other.fit(x, y, epochs=2, shuffle=False)
    small.same_weights(
        population.member_weights(0), other.member_weights(0), rtol=0
    )


def test_its_variables_are_the_stacked_ones():
    """No member's own variable is among the population's."""
    population = Population([small.model()] * 3)
    assert [tuple(v.shape) for v in population.trainable_variables] == [
        (3, 8, 6),
        (3, 6),
        (3, 6, 2),
        (3, 2),
    ]
    assert all(v.shape[0] == 3 for v in population.weights)


def test_no_members():
    with pytest.raises(ValueError, match=r"at least one member.*members=\[\]"):
        Population([])


@pytest.mark.parametrize(
    "rates", [[1e-2], [1e-2, 0.0], [1e-2, -1], [1e-2, float("nan")]]
)
def test_bad_learning_rates(rates):
    with pytest.raises(
        ValueError,
        match=r"`learning_rates`. Expected a positive number for "
        "each of 2 members",
    ):
        Population([small.model()] * 2, rates)


def test_rates_for_members_with_a_schedule():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    with pytest.raises(ValueError, match="with a schedule have no learning r"):
        Population([small.model(schedule)], [0.1])


@pytest.mark.parametrize("index", [2, -3])
def test_no_such_member(index):
    population = Population([small.model()] * 2)
    for get in (population.member, population.member_weights):
        with pytest.raises(IndexError, match=f"2 members. .* index={index}"):
            get(index)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"mode": "best"}, "argument `mode`. Expected 'max' or 'min'. Rec"),
        ({"monitor": "val_loss"}, "`target` should be given together. Rec"),
        ({"target": 1}, "`target` should be given together. Received: mon"),
        (
            {"monitor": "loss", "target": 1},
            "`monitor`. Expected one of .*'val_loss', 'val_mae'",
        ),
        ({"monitor": "val_loss", "target": 1}, "`monitor` needs `validation"),
        ({"batch_size": 65}, "64 records, batch_size=65"),
        ({"batch_size": 0}, "argument `batch_size`"),
        ({"epochs": 0}, "argument `epochs`"),
        ({"label_indices": [0.5]}, "`label_indices`. .* Received: .*0.5"),
        (
            {"monitor": "val_loss", "target": float("nan")},
            "`target`. Expected a number. Received: target=nan",
        ),
    ],
)
def test_bad_arguments_of_fit(arguments, message):
    x, y = small.records()
    population = Population([small.model()])
    with pytest.raises(ValueError, match=message):
        population.fit(x, y, **arguments)
    assert population.steps.tolist() == [0]
