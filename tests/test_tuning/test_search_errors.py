"""Each bad input ends in one line and exit code 2, and harms no file."""

import importlib.abc
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import keras
import pytest

import tasks
from tasks.packed import storage
from tuning import search
from tuning.study.directory import hold_directory


@pytest.fixture(autouse=True)
def no_training(monkeypatch):
    def run_jobs(*_):
        pytest.fail("It started to train.")

    monkeypatch.setattr("tuning.study.study.run_jobs", run_jobs)


@pytest.fixture
def refuse(capsys):
    """Runs a search; returns the one line that it ends with."""

    def refuse(*arguments):
        try:
            code = search.main([str(each) for each in arguments])
        except SystemExit as end:
            code = end.code
        error = capsys.readouterr().err
        assert code == 2, error
        assert error.count("\n") == 1 and error.endswith("\n"), error
        assert error.startswith("search: error: ")
        return error.removeprefix("search: error: ").strip()

    return refuse


@pytest.fixture
def interrupted_search(monkeypatch, capsys):
    """Runs a search that is stopped before its first trial."""

    def interrupt(*_):
        raise KeyboardInterrupt

    def interrupted_search(options):
        with monkeypatch.context() as patch:
            patch.setattr("tuning.study.study.run_jobs", interrupt)
            assert search.main(options) == 130
        capsys.readouterr()

    return interrupted_search


def files(directory):
    return {
        path: path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and not path.name.endswith((".lock", ".verified"))
    }


BAD = {
    "--task logical_xr": "Unknown task 'logical_xr'. Did you mean logical_xor",
    "--inputs manyhot": "Unknown inputs 'manyhot'. Did you mean many_hot?",
    "--network mulitply": "Unknown network 'mulitply'. Did you mean multiply",
    "--network no.such:Thing": "Cannot import network 'no.such:Thing': No mod",
    "--network json:dumps": "The network 'json:dumps' should be a Keras layer",
    "--activation rely": "Unknown activation 'rely'. Did you mean relu",
    "--depth 9": "Unknown depth 9. Known: 1, 2, ",
    "--depth 7": "None of the networks multiply_simple has one of the depths",
    "--task logical_xor --inputs random": "logical_xor makes no sense on rand",
    **{
        f"--{option} {value}": f"argument --{option}: expected a positive inte"
        f"ger, received '{value}'"
        for option, value in [
            ("search-steps", "0"),
            ("train-steps", "-1"),
            ("batch-size", "0"),
            ("train-records", "0"),
            ("seeds", "0"),
            ("depth", "0"),
        ]
    },
    **{
        f"--{option} {value}": f"argument --{option}: expected "
        for option, value in [
            ("search-steps", "1.5"),
            ("search-steps", "many"),
            ("train-steps", "1e3"),
            ("batch-size", "nan"),
            ("train-records", str(10**12)),
            ("seed", "-1"),
            ("seed", "text"),
            ("depth", "two"),
            ("learning-rate", "0"),
            ("learning-rate", "-0.1"),
            ("learning-rate", "nan"),
            ("learning-rate", "inf"),
            ("learning-rate", "fast"),
            ("learning-rate", "0.1 0"),
        ]
    },
    "--seeds 10001": "argument --seeds: expected 10,000 at most, received '10",
    "--shard 4/3": "argument --shard: expected I/N, such as",
    "--shard 2": "argument --shard: expected I/N, such as 3/16",
    "--shard 1/9 --seeds 3": "3 cells cannot be divided into 9 parts",
    "--data-dir ~nobody-here/x": "there is no such home directory, received",
    "--directory=": "argument --directory: expected a path, received ''",
    "--network ..:Thing": "Cannot import network '..:Thing': it names no mod",
    "--network a\x1bb": "The name of a network should have up to 1,000 charac",
    "--no-such-option": "unrecognized arguments: --no-such-option",
    "--task": "argument --task: expected at least one argument",
    "--batch-size 641": "There are 640 records of many_hot to train on, not "
    "enough for one batch. Received: batch_size=641",
}


@pytest.mark.parametrize("bad, message", BAD.items(), ids=BAD)
def test_bad_options(bad, message, options, refuse, tmp_path):
    line = refuse(*options, *bad.split(" "))
    assert message in line
    assert not (tmp_path / "results").exists()


MODULES = {
    "def f(:": "SyntaxError: invalid syntax (theirs.py, line 1)",
    "\nraise ValueError('a\\nb')": "ValueError: a b (theirs.py, line 2)",
    "def f(): f()\nf()": "RecursionError: maximum recursion depth exceeded",
    "import sys\nsys.exit(3)": "SystemExit: 3 (theirs.py, line 2)",
    "import nothing": "ModuleNotFoundError: No module named 'nothing' (theirs",
}


@pytest.mark.parametrize("text, message", MODULES.items(), ids=MODULES)
def test_a_module_that_cannot_be_imported(
    text, message, options, refuse, tmp_path, monkeypatch
):
    (tmp_path / "theirs.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    line = refuse(*options, "--network", "theirs:Layer")
    assert line.startswith(f"Cannot import network 'theirs:Layer': {message}")


def test_a_layer_that_cannot_be_made(options, refuse, tmp_path, monkeypatch):
    text = "from keras.layers import *\nclass L(Dense):\n"
    text += "    def __init__(self, units):\n        units.no_such"
    (tmp_path / "unmakeable.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    assert refuse(*options, "--network", "unmakeable:L") == (
        "The network 'unmakeable:L': L cannot be made: AttributeError: 'int' "
        "object has no attribute 'no_such' (unmakeable.py, line 4)"
    )
    assert not (tmp_path / "results").exists()


@pytest.mark.backends("jax")
def test_an_unknown_task_does_not_load_tensorflow(options, refuse, monkeypatch):
    """Which TFDS does to look for the data sets of others."""

    class Finder(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path, target=None):
            assert name != "tensorflow"

    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    line = refuse(*options, "--task", "no_such_data_set")
    assert line.startswith("Unknown task 'no_such_data_set'. ")


def test_unknown_backend(options, refuse, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    assert refuse(*options) == (
        "Unknown backend: KERAS_BACKEND=theano. Known: jax, tensorflow, torch."
    )


def test_missing_backend(options, refuse, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    line = refuse(*options)
    assert re.match(r"The backend (\w+) is not installed. Install it", line)
    assert "pip install 'kmul[" in line


def find_nothing(name):
    return lambda each: None if each == name else find_spec(each)


find_spec = importlib.util.find_spec


def test_missing_extra(options, refuse, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", find_nothing("rich"))
    assert refuse(*options) == (
        "rich is not installed. Install it with pip install 'kmul[tuning]'."
    )


def test_tasks_is_somebody_elses(tmp_path):
    """A file of that name where the search is started."""
    (tmp_path / "tasks.py").write_text("print('mine')\n")
    root = pathlib.Path(tasks.__file__).parents[1]
    process = subprocess.run(
        [sys.executable, "-c", "from tuning import search; search.main([])"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert process.stderr == (
        f"search: error: `import tasks` finds {tmp_path}/tasks.py, not the "
        f"`tasks` of kmul, {tasks.__file__}. Rename it, or start from "
        "another directory.\n"
    )
    assert process.stdout == ""


def test_tasks_was_overwritten(options, refuse, monkeypatch):
    monkeypatch.delattr(tasks, "OPERATIONS")
    assert "another package named tasks has overwritten it" in refuse(*options)


@pytest.mark.parametrize(
    "limit, message",
    [
        ("-n 20", "Only 20 files may be open at once, and a search needs up"),
        ("-v 1000000", "Only 1.0 GB of address space are allowed, and a sear"),
    ],
)
def test_little_is_allowed(limit, message, tmp_path):
    program = f"ulimit {limit}; exec {sys.executable} -m tuning.search"
    process = subprocess.run(
        ["sh", "-c", f"{program} --directory {tmp_path / 'results'}"],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 2 and process.stdout == ""
    assert process.stderr.startswith(f"search: error: {message}")
    assert process.stderr.count("\n") == 1
    assert not (tmp_path / "results").exists()


def test_directory_is_a_file(options, refuse, tmp_path):
    (tmp_path / "results").write_text("precious")
    line = refuse(*options)
    assert line == f"Cannot write to {tmp_path}/results: File exists."
    assert (tmp_path / "results").read_text() == "precious"


def test_directory_cannot_be_made(options, refuse):
    line = refuse(*options, "--directory", "/dev/null/results")
    assert line == "Cannot write to /dev/null/results: Not a directory."


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_directory_is_not_writable(options, refuse, tmp_path):
    (tmp_path / "results").mkdir(mode=0o500)
    assert "Permission denied" in refuse(*options)


def test_save_best_cannot_be_written(options, refuse, tmp_path):
    (tmp_path / "file").write_text("precious")
    line = refuse(*options, "--save-best", tmp_path / "file")
    assert line == f"Cannot write to {tmp_path}/file: File exists."
    line = refuse(*options, "--save-best", "/dev/null/models")
    assert line == "Cannot write to /dev/null/models: Not a directory."
    assert (tmp_path / "file").read_text() == "precious"


def test_data_directory_is_a_file(options, refuse, tmp_path):
    (tmp_path / "file").write_text("precious")
    line = refuse(*options, "--data-dir", tmp_path / "file")
    assert "Could not prepare" in line
    assert (tmp_path / "file").read_text() == "precious"


def inputs_in(data_dir):
    settings = tasks.InputSettings("many_hot", train_records=640)
    return storage.directory_of(settings, data_dir)


def test_corrupted_data(options, refuse, data_dir, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(data_dir, copy)
    path = inputs_in(copy) / "test_a.npy"
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 2)
    before = files(copy)
    line = refuse(*options, "--data-dir", copy)
    assert f"{path} is corrupted: it has " in line
    assert files(copy) == before


def test_corrupted_training_data(options, refuse, data_dir, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(data_dir, copy)
    path = inputs_in(copy) / "train_a.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    line = refuse(*options, "--data-dir", copy)
    assert f"{path} is corrupted: its checksum has changed" in line


DAMAGED = {
    "truncated": (
        "results.csv",
        "task,inputs\nlogical_x",
        "is damaged: its fi",
    ),
    "trials": ("trials.csv", "", "is damaged: its first line does not name"),
    "not text": ("results.csv", "\x00\xff", "is damaged"),
    "settings": ("settings.json", '{"batch', "is damaged. Restore it, or name"),
    "other json": ("settings.json", "[]", "is damaged. Restore it, or name"),
}


@pytest.mark.parametrize("name, text, message", DAMAGED.values(), ids=DAMAGED)
def test_damaged_files(
    name, text, message, options, refuse, interrupted_search, tmp_path
):
    directory = tmp_path / "results"
    interrupted_search(options)
    (directory / name).write_bytes(text.encode("latin-1"))
    before = files(directory)
    line = refuse(*options)
    assert str(directory / name) in line
    assert message in line
    assert files(directory) == before


def test_other_settings(options, refuse, interrupted_search, tmp_path):
    interrupted_search(options)
    before = files(tmp_path)
    line = refuse(
        *options,
        "--batch-size",
        "16",
        "--train-steps",
        "9",
    )
    assert line == (
        f"{tmp_path}/results was made with other settings: batch_size 32 (now "
        "16), check_steps 8 (now 9), train_steps 8 (now 9). Name another "
        "directory."
    )
    assert files(tmp_path) == before


def test_other_versions(options, refuse, interrupted_search, tmp_path):
    """After an upgrade the message says how to go on."""
    interrupted_search(options)
    path = tmp_path / "results" / "settings.json"
    settings = json.loads(path.read_text())
    path.write_text(json.dumps({**settings, "keras": "3.0.0"}))
    assert refuse(*options) == (
        f"{tmp_path}/results was made with other versions: keras 3.0.0 (now "
        f"{keras.__version__}). Install those to continue there, or name "
        "another directory."
    )


def test_a_folder_of_the_users_stays(options, interrupted_search, tmp_path):
    mine = tmp_path / "results" / "tuner" / "mine"
    mine.parent.mkdir(parents=True)
    mine.write_text("precious")
    interrupted_search(options)
    assert mine.read_text() == "precious"


def test_results_of_unknown_settings(options, refuse, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "results.csv").write_text("mine\n")
    assert "has results, but no settings.json" in refuse(*options)
    assert (tmp_path / "results" / "results.csv").read_text() == "mine\n"


def test_another_search_is_running(options, refuse, tmp_path):
    (tmp_path / "results").mkdir()
    with hold_directory(tmp_path / "results"):
        assert refuse(*options) == (
            f"Another process is running in {tmp_path}/results."
        )


def test_help_and_list(capsys):
    with pytest.raises(SystemExit) as end:
        search.main(["--help"])
    assert end.value.code == 0
    assert search.main(["--list"]) == 0
    output = capsys.readouterr().out
    for name in (
        "one_hot_sum: one_hot",
        "dense_residual: 2, 3",
        "1e-06",
        "selu",
    ):
        assert name in output


def test_settings(options, interrupted_search, tmp_path):
    interrupted_search(options)
    settings = json.loads((tmp_path / "results" / "settings.json").read_text())
    assert settings["learning_rates"] == [0.001, 0.01]
    assert settings["train_records"] == 640
