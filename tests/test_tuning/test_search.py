"""A tiny search from end to end, in this process."""

import csv
import errno
import json
import os
import pathlib
import re

import keras
import pytest

from tuning import search
from tuning.networks.images import LayerAttendedCNN
from tuning.study.rows import Result
from tuning.study.rows import Trial
from tuning.study.rows import columns
from tuning.study.saving import check_model

pytestmark = [
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
]


RESULTS = "results.csv"


@pytest.fixture(autouse=True)
def one_processor(monkeypatch):
    """With a single one, jobs run in the process that was started."""
    monkeypatch.setattr("tuning.study.workers.processors", lambda: [0])
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def directory(options):
    return pathlib.Path(options[options.index("--directory") + 1])


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_from_end_to_end(options, directory, tmp_path, capsys):
    """Networks of every kind, and one with a bug, on two tasks."""
    networks = [f"test_tuning.my_networks:{n}" for n in ("Broken", "Product")]
    arguments = [
        *options,
        *("--network", "multiply_simple", *networks),
        *("--task", "logical_xor", "logical_and"),
        *("--depth", "1"),
        *("--save-best", str(tmp_path / "models")),
    ]
    assert search.main(arguments) == 1
    output, error = capsys.readouterr()
    assert "6 of 6 cells to run, 12 trials of 4 steps" in output
    assert f"Backend {keras.config.backend()} on " in output
    assert "ZeroDivisionError: division by zero" in output
    assert f"2 cells failed. Tracebacks: {directory}/failures.log" in output
    assert str(directory / "results.csv") in output
    assert not error

    results = rows(directory / "results.csv")
    assert len(results) == 6
    assert list(results[0]) == list(columns(Result))
    for row in results:
        if row["network"] == networks[0]:
            assert row["status"] == "failed"
            assert re.fullmatch(
                r"ZeroDivisionError: division by zero "
                r"\(my_networks.py, line \d+\)",
                row["message"],
            )
            assert row["accuracy"] == row["loss"] == ""
            continue
        assert row["status"] == "done" and row["message"] == ""
        assert 0 < float(row["accuracy"]) < 1
        constant = float(row["constant_accuracy"])
        assert float(row["skill"]) == pytest.approx(
            (float(row["accuracy"]) - constant) / (1 - constant), rel=1e-6
        )
        assert int(row["steps"]) == 8
        assert int(row["parameters"]) == 128 * 128 + 128
        assert row["backend"] == keras.config.backend()
        assert row["device"]
    trials = rows(directory / "trials.csv")
    assert list(trials[0]) == list(columns(Trial))
    assert len(trials) == 8
    for row in results:
        if row["status"] == "failed":
            continue
        mine = [
            each
            for each in trials
            if (each["task"], each["network"]) == (row["task"], row["network"])
        ]
        assert sorted(float(t["learning_rate"]) for t in mine) == [0.001, 0.01]
        best = min(mine, key=lambda each: float(each["loss"]))
        assert best["learning_rate"] == row["learning_rate"]
    names = {path.name for path in directory.iterdir()}
    tables = {"results.csv", "trials.csv", "settings.json", ".lock"}
    assert names == {*tables, "failures.log"}
    log = (directory / "failures.log").read_text()
    assert log.count("Traceback (most recent call last)") == 2
    assert log.count("return 1 / 0") == 2
    assert "logical_and_many_hot_test_tuning.my_networks.Broken" in log

    models = sorted((tmp_path / "models").glob("*.keras"))
    assert [path.stem for path in models] == [
        "logical_and_many_hot",
        "logical_xor_many_hot",
    ]
    for path in models:
        best = max(
            (r for r in results if f"{r['task']}_many_hot" == path.stem),
            key=lambda row: float(row["accuracy"] or -1),
        )
        card = json.loads(path.with_suffix(".json").read_text())
        assert card["made_by"]["network"] == best["network"]
        assert card["made_by"]["accuracy"] == pytest.approx(
            float(best["accuracy"])
        )
        if best["network"] == "multiply_simple":
            assert check_model(path) <= 1e-6

    # Again: what failed is tried again, nothing else.
    before = (directory / "results.csv").read_text()
    assert search.main(arguments) == 1
    assert "2 of 6 cells to run" in capsys.readouterr().out
    assert sorted(rows(directory / "results.csv"), key=str) == sorted(
        results, key=str
    )
    without = [each for each in arguments if each != networks[0]]
    assert search.main(without) == 0
    assert "0 of 4 cells to run, 0 trials" in capsys.readouterr().out
    assert sorted(before) == sorted((directory / "results.csv").read_text())


def test_images(options, directory, monkeypatch):
    """A network's own choices are searched beside the learning rate."""
    choices = {"mechanism": ("concat", "self"), "transform_units": (0,)}
    monkeypatch.setattr(LayerAttendedCNN, "choices", choices)
    arguments = [
        *options,
        *("--task", "placed_digits/digit", "--depth", "2"),
        *("--network", "cnn_attention", "--activation", "relu"),
        *("--save-best", str(directory / "models")),
    ]
    assert search.main(arguments) == 0
    (row,) = rows(directory / "results.csv")
    assert row["task"] == "placed_digits/digit" and row["inputs"] == "images"
    assert row["status"] == "done" and int(row["steps"]) == 8
    trials = rows(directory / "trials.csv")
    assert {(t["choices"], t["learning_rate"]) for t in trials} == {
        (f"mechanism={mechanism} transform_units=0", rate)
        for mechanism in ("concat", "self")
        for rate in ("0.001", "0.01")
    }
    best = min(trials, key=lambda each: float(each["loss"]))
    for name in ("choices", "learning_rate"):
        assert row[name] == best[name]
    path = directory / "models" / "placed_digits.digit_images.keras"
    assert check_model(path) <= 1e-5


@pytest.mark.parametrize(
    "task, network",
    [
        ("placed_digits/digit", "partial_conv_2d"),
        ("placed_digits/digit", "polynomial_block_2d:form=regularized"),
        ("logical_xor", "multiplicative_interaction:form=low_rank,rank=2"),
    ],
)
def test_layers(task, network, options, directory):
    arguments = [
        *(*options, "--task", task, "--network", network),
        *("--depth", "2", "--activation", "linear"),
        *("--save-best", str(directory / "models")),
    ]
    assert search.main(arguments) == 0
    (row,) = rows(directory / "results.csv")
    assert row["network"] == network
    assert row["status"] == "done" and int(row["steps"]) == 8
    (path,) = (directory / "models").glob("*.keras")
    assert check_model(path) <= 1e-5


def test_arithmetic(options, directory):
    arguments = [
        *options,
        *("--task", "arithmetic_ops/add", "arithmetic_ops/mul"),
        *("--network", "nau", "--depth", "1"),
    ]
    assert search.main(arguments) == 0
    for row in rows(directory / "results.csv"):
        assert row["inputs"] == "uniform" and row["success"] == "0"
        assert float(row["loss"]) > 0


def test_own_hypermodels(options, directory, capsys):
    """The second cannot be trained together, which is told once."""
    networks = [f"test_tuning.my_networks:{n}" for n in ("Plain", "OwnWay")]
    arguments = [*options, "--network", *networks]
    assert search.main(arguments) == 0
    one, other = rows(directory / "results.csv")
    assert [one["network"], other["network"]] == networks
    assert one["status"] == other["status"] == "done"
    assert one["steps"] == other["steps"] == "8"
    lines = capsys.readouterr().out.splitlines()
    (told,) = [each for each in lines if "one by one" in each]
    assert told == (
        f"{networks[1]} is trained one by one: A population's member should be "
        "trained as Keras does. Received: a OwnModel with its own `train_step`"
    )


@pytest.mark.backends("torch")
def test_own_schedule(options, directory):
    """It is not set to a cosine, and decays by itself."""
    network = "test_tuning.my_networks:OwnSchedule"
    arguments = [*options, "--network", network, "--protocol", "thorough"]
    assert search.main([*arguments, "--search-steps", "4"]) == 0
    (row,) = rows(directory / "results.csv")
    assert (row["status"], row["steps"]) == ("done", "8")


def test_a_trial_that_fails(options, directory):
    """The others choose; the table has a line of it, the log all lines."""
    arguments = [*options, "--network", "test_tuning.my_networks:Fragile"]
    assert search.main(arguments) == 0
    (row,) = rows(directory / "results.csv")
    assert (row["status"], row["learning_rate"]) == ("done", "0.001")
    failed, done = sorted(
        rows(directory / "trials.csv"), key=lambda trial: trial["accuracy"]
    )
    assert (failed["status"], failed["learning_rate"]) == ("failed", "0.01")
    assert done["status"] == "done"
    assert failed["message"].startswith("ValueError: too fast [/] (my_networks")
    log = (directory / "failures.log").read_text()
    assert "Fragile, depth 1, linear, rate 0.01\nTraceback" in log


def test_own_problem(options, directory):
    task = "test_tuning.my_problems:Square"
    arguments = [*options, "--task", task, "--network", "dense"]
    assert search.main([*arguments, "--depth", "1"]) == 0
    found = {(row["task"], row["inputs"]) for row in rows(directory / RESULTS)}
    assert found == {(task, "normal"), (task, "uniform")}
    assert {row["status"] for row in rows(directory / RESULTS)} == {"done"}


def test_divergence_is_no_failure(options, directory):
    rates = ["--learning-rate", "0.001", "1e20", "1e25", "1e30", "1e38"]
    assert search.main([*options, *rates]) == 0
    (row,) = rows(directory / "results.csv")
    assert (row["status"], row["learning_rate"]) == ("done", "0.001")
    trials = rows(directory / "trials.csv")
    assert len(trials) == 5
    assert "diverged" in {trial["status"] for trial in trials}
    assert "failed" not in {trial["status"] for trial in trials}


def test_nothing_but_divergence(options, directory):
    assert search.main([*options, "--learning-rate", "1e38"]) == 0
    (row,) = rows(directory / "results.csv")
    assert row["status"] == "done"
    assert float(row["accuracy"]) < 0.5


def test_disk_full(options, directory, capsys, monkeypatch):
    """One line; finished results can be read, and the search resumed."""
    seeds = [*options, "--seeds", "3"]
    write = os.write

    def full(file, data):
        path = directory / "results.csv"
        if path.exists() and os.path.samestat(os.fstat(file), path.stat()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert search.main(seeds) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("search: error: ")
    assert "No space left on device" in error
    assert len(rows(directory / "results.csv")) == 1
    assert search.main(seeds) == 0
    assert "2 of 3 cells to run" in capsys.readouterr().out
    assert sorted(r["seed"] for r in rows(directory / "results.csv")) == [
        *"012"
    ]
    assert len(rows(directory / "trials.csv")) == 6


def test_a_bug_is_not_the_users(options, monkeypatch, capsys):
    def run_jobs(*_):
        raise ValueError("a bug")

    monkeypatch.setattr("tuning.study.study.run_jobs", run_jobs)
    with pytest.raises(ValueError, match="a bug"):
        search.main(options)
    assert "search: error" not in capsys.readouterr().err
