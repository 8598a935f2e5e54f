import json
import os
import re
import signal

import keras
import keras_tuner
import pytest

import tuning
from test_tuning import small
from tuning.population.loops import backend_loops
from tuning.tuner import trains_together as tuner_module

pytestmark = [
    # KerasTuner 1.4.8 calls what Python renamed long ago.
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
    # Its checkpoints hold the optimizer, the models they are loaded in none.
    pytest.mark.filterwarnings("ignore:Skipping variable loading"),
    # The Gaussian process of four points.
    pytest.mark.filterwarnings("ignore:.*bound.*"),
    pytest.mark.filterwarnings("ignore:.*lbfgs failed.*"),
]
X, Y = small.records()
OBJECTIVE = keras_tuner.Objective("val_loss", "min")


def build(hp):
    return small.model(
        rate=hp.Choice("rate", [1e-3, 1e-1]),
        seed=hp.Choice("seed", [0, 1]),
    )


@pytest.fixture
def sizes(monkeypatch):
    """How many models were trained together, in the order they were."""
    sizes = []
    fit = tuner_module.fit_as_keras

    def watched(models, *args, **kwargs):
        sizes.append(len(models))
        return fit(models, *args, **kwargs)

    monkeypatch.setattr(tuner_module, "fit_as_keras", watched)
    # On TensorFlow so few are not worth it.
    monkeypatch.setattr(
        backend_loops(), "pays_off", lambda members, steps: members > 1
    )
    return sizes


def search(oracle, directory, hypermodel=build, epochs=2, **kwargs):
    tuner = tuning.PopulationTuner(
        oracle, hypermodel, directory=directory, **kwargs
    )
    tuner.search(
        X,
        Y,
        batch_size=16,
        epochs=epochs,
        shuffle=False,
        validation_data=(X, Y),
        verbose=0,
    )
    return tuner


def grid(objective=OBJECTIVE, **kwargs):
    return keras_tuner.oracles.GridSearchOracle(objective=objective, **kwargs)


def by_values(oracle):
    """Returns the trials by what was tried in them."""
    return {
        json.dumps(trial.hyperparameters.values, sort_keys=True): trial
        for trial in oracle.trials.values()
    }


# Each backend's members are compared with Keras's own in test_keras_fit.
@pytest.mark.backends("torch")
def test_grid_as_one_by_one(tmp_path, sizes):
    """The stock tuner, trial after trial, comes to the same."""
    tuner = search(grid(), tmp_path, epochs=3)
    stock = keras_tuner.GridSearch(
        build, OBJECTIVE, directory=tmp_path, project_name="stock"
    )
    stock.search(
        X,
        Y,
        batch_size=16,
        epochs=3,
        shuffle=False,
        validation_data=(X, Y),
        verbose=0,
    )
    assert sizes == [4]
    mine, theirs = by_values(tuner.oracle), by_values(stock.oracle)
    assert mine.keys() == theirs.keys()
    for values, trial in mine.items():
        other = theirs[values]
        assert trial.status == other.status == "COMPLETED"
        assert trial.score == pytest.approx(other.score, rel=1e-4)
        assert trial.best_step == other.best_step
    best, other = (
        each.get_best_hyperparameters()[0] for each in (tuner, stock)
    )
    assert best.values == other.values
    # The weights of the best epoch.
    for one, two in zip(
        tuner.get_best_models(4), stock.get_best_models(4), strict=True
    ):
        small.same_weights(
            one.get_weights(), two.get_weights(), rtol=1e-3, atol=1e-5
        )


def test_checkpoint_is_of_the_best_epoch(tmp_path):
    """A rate that makes things worse is best after the first epoch."""

    def wild(hp):
        rate = hp.Choice("rate", [5.0, 1e-2])
        return small.model(rate, optimizer=keras.optimizers.SGD, metrics=())

    tuner = search(grid(), tmp_path, wild, epochs=4)
    steps = {}
    for model, trial in zip(
        tuner.get_best_models(2), tuner.oracle.get_best_trials(2), strict=True
    ):
        steps[trial.hyperparameters.get("rate")] = trial.best_step
        assert model.evaluate(X, Y, verbose=0) == pytest.approx(
            trial.score, rel=1e-4
        )
    assert steps == {1e-2: 3, 5.0: 0}


@pytest.mark.parametrize(
    "oracle, together",
    [
        (keras_tuner.oracles.RandomSearchOracle(OBJECTIVE, max_trials=4), [4]),
        (
            keras_tuner.oracles.BayesianOptimizationOracle(
                OBJECTIVE, max_trials=4, num_initial_points=2, seed=1
            ),
            [3],
        ),
        (keras_tuner.oracles.HyperbandOracle(OBJECTIVE, max_epochs=4), None),
    ],
    ids=["random", "bayesian", "hyperband"],
)
def test_every_oracle(oracle, together, tmp_path, sizes):
    tuner = search(oracle, tmp_path, max_members=3 if together == [3] else 9)
    trials = oracle.trials.values()
    assert {trial.status for trial in trials} == {"COMPLETED"}
    assert max(sizes) > 1
    if together:
        assert sizes == together
    best = tuner.oracle.get_best_trials()[0]
    assert best.score == min(trial.score for trial in trials)


def test_hyperband_goes_on_with_what_was_learned(tmp_path):
    """A promoted trial starts from the weights of the earlier one."""

    def hypermodel(hp):
        return small.model(hp.Float("rate", 1e-3, 1e-2, sampling="log"))

    oracle = keras_tuner.oracles.HyperbandOracle(
        OBJECTIVE, max_epochs=4, factor=2
    )
    search(oracle, tmp_path, hypermodel)
    promoted = [
        trial
        for trial in oracle.trials.values()
        if trial.hyperparameters.values.get("tuner/trial_id")
    ]
    assert promoted
    for trial in promoted:
        earlier = oracle.trials[trial.hyperparameters.values["tuner/trial_id"]]
        assert trial.score < earlier.score


def test_buckets_by_architecture(tmp_path, sizes):
    def hypermodel(hp):
        units = hp.Choice("units", [3, 5])
        rate = hp.Choice("rate", [1e-3, 1e-2, 1e-1])
        return small.model(rate, body=[keras.layers.Dense(units)])

    tuner = search(grid(), tmp_path, hypermodel)
    assert sizes == [3, 3]
    assert len(tuner.oracle.trials) == 6


def test_most_members(tmp_path, sizes):
    tuner = search(grid(), tmp_path, max_members=3)
    assert sizes == [3]
    assert len(tuner.oracle.trials) == 4


def test_own_ways_of_training(tmp_path):
    """Together and alone, each with results as from `run_trial`."""

    class Tuner(tuning.PopulationTuner):
        def run_together(self, trials, models, fit_args, fit_kwargs):
            assert fit_args == (1, 2)
            if len(trials) == 1:
                raise RuntimeError("nothing together")
            return [
                {"val_loss": trial.hyperparameters.get("rate")}
                for trial in trials
            ]

        def run_alone(self, trial, *args, **kwargs):
            return 9.0

    tuner = Tuner(grid(), build, directory=tmp_path, max_members=3)
    tuner.search(1, 2, verbose=0)
    scores = [trial.score for trial in tuner.oracle.trials.values()]
    assert sorted(scores) == [1e-3, 1e-3, 1e-1, 9.0]


class Broken(keras_tuner.HyperModel):
    """Cannot be built at some rates, nor trained at others."""

    def build(self, hp):
        rate = hp.Choice("rate", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        if rate in (2.0, 3.0):
            raise ZeroDivisionError(f"no model at {rate}")
        options = {"clipnorm": 1.0} if rate == 5.0 else {}
        return small.model(
            rate / 100, optimizer=lambda r: keras.optimizers.SGD(r, **options)
        )


def test_failures(tmp_path):
    """Each is a trial with its message; the others are trained."""
    tuner = search(grid(), tmp_path, Broken())
    by_rate = {
        trial.hyperparameters.get("rate"): trial
        for trial in tuner.oracle.trials.values()
    }
    assert {rate: trial.status for rate, trial in by_rate.items()} == {
        1.0: "COMPLETED",
        2.0: "FAILED",
        3.0: "FAILED",
        4.0: "COMPLETED",
        5.0: "COMPLETED",
        6.0: "COMPLETED",
    }
    assert by_rate[2.0].message.strip().splitlines()[-1] == (
        "ZeroDivisionError: no model at 2.0"
    )
    assert tuner.oracle.end_order == [by_rate[r].trial_id for r in range(1, 7)]


# KerasTuner counts them.
@pytest.mark.backends("torch")
def test_failures_in_a_row_end_the_search_as_always(tmp_path):
    def broken(hp):
        if hp.Choice("rate", [1.0, 2.0, 3.0, 4.0]) > 1:
            raise ZeroDivisionError("never")
        return small.model(0.1)

    with pytest.raises(RuntimeError, match="consecutive failures exceeded"):
        search(grid(), tmp_path, broken)
    oracle = grid(max_consecutive_failed_trials=10)
    search(oracle, tmp_path, broken, project_name="patient")
    assert len(oracle.trials) == 4


def test_a_failed_trial_is_tried_again_if_the_oracle_wants(tmp_path):
    tries = []

    def flaky(hp):
        rate = hp.Choice("rate", [1e-3, 1e-2])
        tries.append(rate)
        if rate == 1e-2 and tries.count(rate) == 1:
            raise ZeroDivisionError("this once")
        return small.model(rate)

    tuner = search(grid(max_retries_per_trial=1), tmp_path, flaky)
    assert {t.status for t in tuner.oracle.trials.values()} == {"COMPLETED"}
    assert tries.count(1e-2) == 2


def test_several_objectives(tmp_path):
    objective = [
        keras_tuner.Objective("val_loss", "min"),
        keras_tuner.Objective("val_mae", "min"),
    ]
    tuner = search(grid(objective), tmp_path)
    for trial in tuner.oracle.trials.values():
        values = [
            trial.metrics.get_history(each.name)[0].value[0]
            for each in objective
        ]
        assert trial.score == pytest.approx(sum(values))


def test_unknown_objective(tmp_path):
    objective = keras_tuner.Objective("val_acuracy", "max")
    with pytest.raises(RuntimeError, match="KeyError: 'val_acuracy'"):
        search(grid(objective), tmp_path)


@pytest.mark.parametrize("tuner_class", ["GridSearch", "RandomSearch"])
@pytest.mark.parametrize("again", ["same", "new"])
@pytest.mark.backends("jax")
def test_an_interrupted_search(tuner_class, again, tmp_path, monkeypatch):
    """At Ctrl-C, amid threads, what has been trained is kept."""
    trained = []

    def fit(models, *args, interrupted, **kwargs):
        units = models[0].layers[0].units
        if again_from is None:
            # The first one is waited for while two others are trained.
            trials = list(tuner.oracle.trials.values())
            is_first = units == trials[0].hyperparameters.get("units")
            if len(trained) == 2 and not (is_first or interrupted.is_set()):
                os.kill(os.getpid(), signal.SIGINT)
            if is_first or len(trained) == 2:
                assert interrupted.wait(60)
                raise RuntimeError("interrupted")
        trained.append(units)
        history = keras.callbacks.History()
        history.history = {"val_loss": [float(units)]}
        return [history]

    monkeypatch.setattr(tuner_module, "fit_as_keras", fit)

    def sizes(hp):
        model = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(hp.Int("units", 1, 6))]
        )
        model.compile("sgd", "mse")
        return model

    def start():
        most = {"max_trials": 6} if tuner_class == "RandomSearch" else {}
        return getattr(tuning, tuner_class)(
            sizes,
            OBJECTIVE,
            workers=2,
            save_checkpoints=False,
            directory=tmp_path,
            **most,
        )

    def statuses():
        return sorted(trial.status for trial in tuner.oracle.trials.values())

    again_from, tuner = None, start()
    with pytest.raises(KeyboardInterrupt):
        tuner.search(X, Y, verbose=0)
    assert statuses() == ["COMPLETED"] * 2 + ["RUNNING"] * 4
    again_from = len(trained)
    if again == "new":
        tuner = start()
    tuner.search(X, Y, verbose=0)
    assert statuses() == ["COMPLETED"] * 6
    assert len(trained) == again_from + 4
    scores = {trial.score for trial in tuner.oracle.trials.values()}
    assert scores == set(range(1, 7)) == set(trained)


class TooMuch(Exception):
    """Stands for what a backend raises when memory runs out."""


@pytest.fixture
def small_memory(monkeypatch, sizes):
    """A device with room for two members."""
    monkeypatch.setattr(
        tuner_module.backend_loops(),
        "is_out_of_memory",
        lambda error: isinstance(error, TooMuch),
    )
    fit = tuner_module.fit_as_keras

    holds = [2]

    def limited(models, *args, **kwargs):
        if len(models) > holds[0]:
            raise TooMuch(f"{len(models)} members")
        return fit(models, *args, **kwargs)

    monkeypatch.setattr(tuner_module, "fit_as_keras", limited)
    return holds


@pytest.mark.filterwarnings("ignore:The device has too little memory")
def test_out_of_memory_halves_the_population(tmp_path, small_memory, sizes):
    with pytest.warns(UserWarning, match="4 members together.* with 2"):
        tuner = search(grid(), tmp_path)
    assert {t.status for t in tuner.oracle.trials.values()} == {"COMPLETED"}
    assert len(tuner.oracle.trials) == sum(sizes) == 4
    assert max(sizes) <= 2
    assert tuner.max_members == 2
    other = search(grid(), tmp_path, project_name="other")
    mine, theirs = by_values(tuner.oracle), by_values(other.oracle)
    assert {v: t.score for v, t in mine.items()} == pytest.approx(
        {v: t.score for v, t in theirs.items()}, rel=1e-5
    )


# KerasTuner trains all of them.
@pytest.mark.backends("torch")
@pytest.mark.filterwarnings("ignore:The device has too little memory")
def test_memory_too_small_for_one_member(tmp_path, small_memory):
    """It may suffice for Keras, or else the trial fails as there."""
    small_memory[0] = 0
    tuner = search(grid(), tmp_path)
    trials = tuner.oracle.trials.values()
    assert {trial.status for trial in trials} == {"COMPLETED"}


@pytest.mark.parametrize("name", ["max_members", "workers"])
@pytest.mark.parametrize("value", [0, -1, 2.5, "many"])
def test_bad_numbers(name, value, tmp_path):
    with pytest.raises(
        ValueError,
        match=f"`{name}`. Expected a positive integer. Received: "
        + re.escape(f"{name}={value!r}"),
    ):
        tuning.PopulationTuner(
            grid(), build, directory=tmp_path, **{name: value}
        )
