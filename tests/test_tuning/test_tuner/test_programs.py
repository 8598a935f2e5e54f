"""Programs as KerasTuner's guides show them, with one word replaced."""

import re

import keras
import keras_tuner
import numpy as np
import pandas as pd
import pytest
from keras import layers

import tuning
from tuning.population.loops import backend_loops
from tuning.tuner import trains_together as tuner_module

pytestmark = [
    # KerasTuner 1.4.8 calls what Python renamed long ago.
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
    # Its checkpoints hold the optimizer, the models they are loaded in none.
    pytest.mark.filterwarnings("ignore:Skipping variable loading"),
    # The Gaussian process of few points.
    pytest.mark.filterwarnings("ignore:.*bound.*"),
    pytest.mark.filterwarnings("ignore:.*lbfgs failed.*"),
]
# What KerasTuner trains is the same on every backend, and takes longest where
# each model is compiled.
trained_by_kerastuner = pytest.mark.backends("torch")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4)).astype("float32")
Y = (X.sum(1) > 0).astype("int32")
DATA = {"x": X, "y": Y, "validation_data": (X, Y), "epochs": 1}


def build(hp):
    """Not built before it sees data, with metrics by short names."""
    model = keras.Sequential(
        [
            layers.Dense(3, activation="tanh"),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(hp.Choice("rate", [0.1, 0.5])),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def build_continuous(hp):
    model = build(keras_tuner.HyperParameters())
    model.optimizer.learning_rate = hp.Float("lr", 1e-4, 1e-1, sampling="log")
    return model


def build_space(hp):
    """A space in which some of it depends on the rest."""
    model = keras.Sequential([layers.Flatten()])
    for i in range(hp.Int("num_layers", 1, 2)):
        model.add(
            layers.Dense(
                hp.Int(f"units_{i}", 2, 3),
                activation=hp.Choice("activation", ["relu", "tanh"]),
            )
        )
    if hp.Boolean("dropout"):
        model.add(layers.Dropout(0.25))
    model.add(layers.Dense(2, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(hp.Float("lr", 1e-4, 1e-2, sampling="log")),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


@pytest.fixture
def trained(monkeypatch):
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


def scores(tuner):
    return {
        tuple(sorted(trial.hyperparameters.values.items())): trial.score
        for trial in tuner.oracle.trials.values()
    }


def both(tmp_path, run):
    """Runs a program with these tuners and with KerasTuner's."""
    tuners = []
    for module in (tuning, keras_tuner):
        keras.utils.set_random_seed(1)
        tuners.append(run(module, str(tmp_path / module.__name__)))
    mine, theirs = map(scores, tuners)
    assert mine.keys() == theirs.keys()
    for values, score in theirs.items():
        if score is None:
            assert mine[values] is None
        else:
            assert mine[values] == pytest.approx(score, rel=2e-3, abs=1e-5)
    return tuners[0]


def test_getting_started(tmp_path, trained, capsys):
    def program(module, directory):
        tuner = module.RandomSearch(
            build,
            objective="val_loss",
            max_trials=2,
            seed=3,
            executions_per_trial=2,
            overwrite=True,
            directory=directory,
            project_name="helloworld",
        )
        tuner.search_space_summary()
        tuner.search(**DATA, shuffle=False)
        tuner.results_summary()
        return tuner

    tuner = both(tmp_path, program)
    assert trained == [4]
    output = capsys.readouterr().out
    assert "Search: Running Trial #2" in output
    assert "2 trials: 2 are trained together (1 architectures)" in output
    assert "Trial 2 Complete" in output
    best = tuner.get_best_models(2)[0]
    loss, _ = best.evaluate(X, Y, verbose=0)
    # The best of two executions; a trial's score is their mean.
    assert loss <= tuner.oracle.get_best_trials()[0].score + 1e-5
    model = tuner.hypermodel.build(tuner.get_best_hyperparameters()[0])
    model.fit(X, Y, verbose=0)


def test_a_space_of_several_architectures(tmp_path):
    tuner = tuning.RandomSearch(
        build_space, "val_accuracy", max_trials=4, seed=1, directory=tmp_path
    )
    tuner.search(**DATA, verbose=0)
    assert {t.status for t in tuner.oracle.trials.values()} == {"COMPLETED"}
    assert len(tuner.get_best_models(4)) == 4


@pytest.mark.parametrize("name", ["BayesianOptimization", "Hyperband"])
def test_other_tuners(name, tmp_path, trained):
    options = {"max_epochs": 3} if name == "Hyperband" else {"max_trials": 4}
    tuner = getattr(tuning, name)(
        build_continuous,
        keras_tuner.Objective("val_accuracy", "max"),
        directory=tmp_path,
        seed=1,
        **options,
    )
    assert isinstance(tuner, getattr(keras_tuner, name))
    tuner.search(X, Y, validation_split=0.25, epochs=1, batch_size=8, verbose=0)
    trials = tuner.oracle.trials.values()
    assert {trial.status for trial in trials} == {"COMPLETED"}
    assert trained
    tuner.get_best_models()


def test_a_tailored_space(tmp_path, trained):
    """What is given to the tuner comes before what the model says."""

    def otherwise(hp):
        hp.Choice("rate", [1.0, 2.0])
        model = keras.Sequential(
            [keras.Input((4,)), layers.Dense(hp.Int("units", 2, 5))]
        )
        model.compile("adam", "mse")
        return model

    hp = keras_tuner.HyperParameters()
    hp.Fixed("units", 3)
    tuner = tuning.GridSearch(
        otherwise,
        "val_accuracy",
        hyperparameters=hp,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer=keras.optimizers.SGD(1e-2),
        metrics=["accuracy"],
        directory=tmp_path,
    )
    tuner.search(**DATA, verbose=0)
    assert trained == [2]
    for model in tuner.get_best_models(2):
        assert isinstance(model.optimizer, keras.optimizers.SGD)
        assert model.layers[-1].units == 3


@trained_by_kerastuner
def test_own_run_trial(tmp_path, capsys):
    class Tuner(tuning.RandomSearch):
        def run_trial(self, trial, *args, **kwargs):
            kwargs["batch_size"] = trial.hyperparameters.Int("batch", 4, 8)
            return super().run_trial(trial, *args, **kwargs)

    tuner = Tuner(build, "val_loss", max_trials=2, directory=tmp_path)
    tuner.search(**DATA)
    assert "batch" in tuner.get_best_hyperparameters()[0].values
    assert (
        "All trials are trained one by one: Tuner has its own `run_trial`."
        in capsys.readouterr().out
    )


def test_anything_without_a_hypermodel(tmp_path):
    class Tuner(tuning.BayesianOptimization):
        def run_trial(self, trial, *args, **kwargs):
            x = trial.hyperparameters.Float("x", -1, 1)
            return x * x

    tuner = Tuner(max_trials=3, directory=tmp_path)
    tuner.search()
    assert len(tuner.oracle.trials) == 3


@trained_by_kerastuner
def test_own_fit(tmp_path, trained):
    """Those whose arguments agree are trained together."""

    class Model(keras_tuner.HyperModel):
        def build(self, hp):
            return build(hp)

        def fit(self, hp, model, *args, **kwargs):
            return model.fit(
                *args,
                batch_size=hp.Choice("batch", [4, 8]),
                shuffle=False,
                **kwargs,
            )

    def program(module, directory):
        tuner = module.GridSearch(Model(), "val_loss", directory=directory)
        tuner.search(**DATA, verbose=0)
        return tuner

    tuner = both(tmp_path, program)
    tried = [t.hyperparameters.values for t in tuner.oracle.trials.values()]
    assert {(each["rate"], each["batch"]) for each in tried} == {
        (rate, batch) for rate in (0.1, 0.5) for batch in (4, 8)
    }
    # The first one tells that there is a batch size to choose.
    assert sum(trained) >= 2


@pytest.mark.parametrize(
    "hook",
    [
        "on_epoch_end",
        pytest.param("on_batch_end", marks=trained_by_kerastuner),
    ],
)
def test_hooks(hook, tmp_path, trained):
    calls = []

    def called(self, trial, model, number, logs=None):
        calls.append((trial.trial_id, number, type(model), logs["loss"]))

    tuner = type("Tuner", (tuning.GridSearch,), {hook: called})(
        build, "val_loss", directory=tmp_path
    )
    tuner.search(X, Y, validation_data=(X, Y), batch_size=20, verbose=0)
    assert len(calls) == 2
    assert len({trial_id for trial_id, *_ in calls}) == 2
    assert {kind for *_, kind, _ in calls} == {keras.Sequential}
    assert bool(trained) == (hook == "on_epoch_end")


def test_failed_trials(tmp_path, capsys):
    """Some fail, some are too large; the others are none the worse."""

    def fails(hp):
        rate = hp.Choice("rate", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
        if rate == 0.2:
            raise ValueError("no model")
        if rate == 0.3:
            raise keras_tuner.errors.FailedTrialError("not wanted")
        units = 100 if rate == 0.5 else 2
        model = keras.Sequential(
            [keras.Input((4,)), layers.Dense(units), layers.Dense(1)]
        )
        model.compile(keras.optimizers.SGD(rate / 10), "mse")
        return model

    def program(module, directory):
        tuner = module.GridSearch(
            fails, "val_loss", directory=directory, max_model_size=99
        )
        tuner.search(**DATA, shuffle=False)
        return tuner

    tuner = both(tmp_path, program)
    table = tuner.results().set_index("rate")
    assert table["status"].tolist() == [
        *("COMPLETED", "FAILED", "FAILED", "COMPLETED", "FAILED", "COMPLETED")
    ]
    assert table["message"][0.2] == "ValueError: no model"
    assert "Oversized model: 601 parameters" in table["message"][0.5]
    assert (table["seconds"] >= 0).all()
    assert table["val_loss"].notna().sum() == 3


def test_build_that_returns_nothing(tmp_path):
    with pytest.raises(keras_tuner.errors.FatalTypeError, match="valid Keras"):
        tuning.RandomSearch(
            lambda hp: None, "val_loss", max_trials=1, directory=tmp_path
        ).search(**DATA, verbose=0)


class Rows(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        rows = slice(index * 10, index * 10 + 10)
        return X[rows], Y[rows]


def frames():
    return {
        "x": pd.DataFrame(X),
        "y": pd.Series(Y),
        "class_weight": {0: 1.0, 1: 3.0},
        "validation_split": 0.2,
        "batch_size": 8,
    }


def rows():
    return {"x": Rows(), "validation_data": (X, Y)}


def generators():
    def batches():
        while True:
            yield X[:10], Y[:10]
            yield X[10:], Y[10:]

    return {
        "x": batches(),
        "validation_data": batches(),
        "steps_per_epoch": 2,
        "validation_steps": 2,
        "epochs": 2,
    }


def loader():
    torch = pytest.importorskip("torch")
    records = torch.utils.data.TensorDataset(
        torch.tensor(X), torch.tensor(Y.astype("int64"))
    )
    return {"x": torch.utils.data.DataLoader(records, batch_size=8)}


def dataset():
    tensorflow = pytest.importorskip("tensorflow")
    records = tensorflow.data.Dataset.from_tensor_slices((X, Y)).batch(4)
    return {
        "x": records.repeat(),
        "steps_per_epoch": 2,
        "validation_data": records,
        "validation_steps": 1,
        "epochs": 2,
    }


@pytest.mark.parametrize(
    "data",
    [
        frames,
        pytest.param(rows, marks=trained_by_kerastuner),
        pytest.param(generators, marks=trained_by_kerastuner),
        pytest.param(loader, marks=trained_by_kerastuner),
        pytest.param(dataset, marks=pytest.mark.backends("tensorflow")),
    ],
)
def test_data(data, tmp_path, trained):
    def program(module, directory):
        tuner = module.GridSearch(build, "loss", directory=directory)
        tuner.search(**data(), shuffle=False, verbose=0)
        return tuner

    both(tmp_path, program)
    assert trained == [2]


@pytest.mark.backends("tensorflow")
def test_tensorboard(tmp_path, trained):
    """Each trial writes where KerasTuner says."""
    board = keras.callbacks.TensorBoard(tmp_path / "logs")
    tuner = tuning.GridSearch(build, "loss", directory=tmp_path)
    tuner.search(**DATA, callbacks=[board], verbose=0)
    assert trained == [2]
    for trial_id in tuner.oracle.trials:
        (directory,) = (tmp_path / "logs" / trial_id).iterdir()
        assert {"train", "validation"} <= {p.name for p in directory.iterdir()}


def test_callbacks(tmp_path, trained):
    """They are each trial's own, and those for batches are called, too."""
    stopping = keras.callbacks.EarlyStopping("loss", min_delta=10)
    tuner = tuning.GridSearch(build, "val_loss", directory=tmp_path)
    tuner.search(**{**DATA, "epochs": 9}, callbacks=[stopping], verbose=0)
    assert trained == [2]
    for trial in tuner.oracle.trials.values():
        assert trial.best_step < 2
    batches = []
    seen = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: batches.append(batch)
    )
    tuner = tuning.GridSearch(
        build, "val_loss", directory=tmp_path, project_name="batches"
    )
    tuner.search(**DATA, callbacks=[seen], verbose=0)
    assert trained == [2]
    assert len(batches) == 2


@trained_by_kerastuner
def test_models_that_train_their_own_way(tmp_path, trained, capsys):
    """They are trained one by one, in the same search as the others."""

    class Own(keras.Model):
        def compute_loss(self, *args, **kwargs):
            return 2 * super().compute_loss(*args, **kwargs)

    def some(hp):
        rate = hp.Choice("rate", [0.1, 0.2])
        inputs = keras.Input((4,))
        kind = Own if hp.Boolean("own") else keras.Model
        model = kind(inputs, layers.Dense(1)(inputs))
        model.compile(keras.optimizers.SGD(rate / 10), "mse")
        return model

    def program(module, directory):
        tuner = module.GridSearch(some, "val_loss", directory=directory)
        tuner.search(**DATA, shuffle=False)
        return tuner

    both(tmp_path, program)
    assert trained == [2]
    assert re.search(
        r"4 trials: 2 are trained together \(1 architectures\); one by one "
        r"\d+, \d+: .* its own `compute_loss`",
        capsys.readouterr().out,
    )


@trained_by_kerastuner
def test_what_fails_together_is_trained_alone(tmp_path, monkeypatch, capsys):
    def fails(*args, **kwargs):
        raise NotImplementedError("an operation\nwithout a rule")

    monkeypatch.setattr(tuner_module, "fit_as_keras", fails)
    tuner = tuning.GridSearch(build, "val_loss", directory=tmp_path)
    tuner.search(**DATA)
    assert {t.status for t in tuner.oracle.trials.values()} == {"COMPLETED"}
    assert (
        "Trials 0000, 0001 are trained one by one: NotImplementedError: "
        "an operation\n" in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    "workers",
    [
        pytest.param(1, marks=trained_by_kerastuner),
        pytest.param(2, marks=pytest.mark.backends("jax")),
    ],
)
def test_only_ones_of_their_architecture(workers, tmp_path, trained):
    """They are trained by `fit`, side by side where there are threads."""

    def sizes(hp):
        model = keras.Sequential(
            [layers.Dense(hp.Int("units", 1, 2)), layers.Dense(1)]
        )
        model.compile("sgd", "mse")
        return model

    def program(module, directory):
        mine = {"workers": workers} if module is tuning else {}
        tuner = module.GridSearch(
            sizes, "val_loss", directory=directory, **mine
        )
        tuner.search(**DATA, batch_size=8, shuffle=False, verbose=0)
        return tuner

    tuner = both(tmp_path, program)
    assert trained == [1] * 2 * (workers - 1)
    assert len(tuner.get_best_models(2)) == 2


@trained_by_kerastuner
def test_too_few_of_their_architecture(tmp_path, trained, monkeypatch, capsys):
    monkeypatch.setattr(
        backend_loops(), "pays_off", lambda members, steps: members * steps > 6
    )
    tuner = tuning.GridSearch(build, "val_loss", directory=tmp_path)
    tuner.search(**DATA, batch_size=10)
    assert trained == []
    assert "only two have its architecture" in capsys.readouterr().out
    assert len(tuner.get_best_models(2)) == 2


@pytest.mark.backends("jax")
def test_side_by_side_is_the_same_each_time(tmp_path):
    """Orders are drawn per architecture, whichever thread comes first."""

    def sizes(hp):
        model = keras.Sequential(
            [keras.Input((4,)), layers.Dense(hp.Int("units", 1, 2))]
        )
        model.compile(keras.optimizers.SGD(hp.Choice("rate", [0.1, 0.2])))
        return model

    def run(name):
        keras.utils.set_random_seed(1)
        tuner = tuning.GridSearch(
            sizes,
            "loss",
            loss="mse",
            workers=2,
            directory=tmp_path,
            project_name=name,
        )
        tuner.search(X, Y, batch_size=4, verbose=0)
        return scores(tuner)

    assert run("one") == run("other")


def test_a_search_that_is_started_again(tmp_path, capsys):
    def start():
        tuner = tuning.RandomSearch(
            build, "val_loss", max_trials=2, seed=1, directory=tmp_path
        )
        tuner.search(**DATA, verbose=0)
        return tuner

    first = start().results()
    again = start()
    assert "Reloading Tuner" in capsys.readouterr().out
    pd.testing.assert_frame_equal(again.results(), first)
    assert again.remaining_trials == 0


@trained_by_kerastuner
def test_a_picture(tmp_path):
    """The score by order and by what was varied."""
    tuner = tuning.GridSearch(
        build, "val_loss", directory=tmp_path, max_members=2
    )
    tuner.search(**DATA, verbose=0)
    axes = tuner.plot().axes
    assert [each.get_xlabel() for each in axes] == ["trial", "rate"]
    assert {each.get_ylabel() for each in axes} == {"val_loss"}
    drawn = axes[1].collections[0].get_offsets()
    table = tuner.results()
    np.testing.assert_allclose(drawn, table[["rate", "score"]])


def test_diverged_trials_are_as_in_kerastuner(tmp_path):
    def wild(hp):
        model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
        rate = hp.Choice("rate", [1e-2, 1e30])
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    tuner = tuning.GridSearch(wild, "val_loss", directory=tmp_path)
    tuner.search(**{**DATA, "epochs": 3}, batch_size=4, verbose=0)
    table = tuner.results().set_index("rate")
    assert table["status"].tolist() == ["COMPLETED", "FAILED"]
