"""Searches that are killed, stopped and started again."""

import csv
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from support.processes import start_search

from benchmarks.faults import members
from tuning import search

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="looks into /proc"
)


@pytest.fixture
def options(options):
    """Four jobs and six cells, for two workers."""
    return [
        *options,
        *("--task", "logical_xor", "logical_and"),
        *("--network", "multiply_simple", "dense"),
        *("--activation", "linear"),
        *("--depth", "1", "2"),
    ]


def rows(directory, name="results.csv"):
    path = directory / name
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def key(row):
    return tuple(row[n] for n in ("task", "network", "depth", "seed"))


def without_seconds(rows):
    return {key(row): {**row, "seconds": ""} for row in rows}


def wait_for_no_process(group):
    end = time.monotonic() + 20
    while members(group):
        assert time.monotonic() < end, "A worker was left behind."
        time.sleep(0.1)


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(3, marks=pytest.mark.backends("jax")),
        # One run after the other: starting TensorFlow is what takes longest.
        pytest.param(1, marks=pytest.mark.backends("torch")),
    ],
)
def test_killed_and_continued(kills, options, tmp_path, capsys):
    """No finished cell is lost, and the numbers are the same in the end."""
    started = time.monotonic()
    process = start_search([*options, "--directory", str(tmp_path / "whole")])
    output, error = process.communicate()
    assert process.returncode == 0, error
    seconds = time.monotonic() - started
    assert "6 of 6 cells" in output

    directory = tmp_path / "results"
    finished = []
    for number in range(kills + 1):
        process = start_search(options)
        # Not before the training: the start takes most of the time.
        while not (directory / "settings.json").exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        if number == 0:
            # Meanwhile nobody else may write there.
            assert search.main(options) == 2
            assert capsys.readouterr().err == (
                f"search: error: Another process is running in {directory}.\n"
            )
        time.sleep(random.uniform(0.1, 0.7) * seconds)
        if number == 0:
            # Ctrl-C reaches the whole group.
            os.killpg(process.pid, signal.SIGINT)
        elif number == 1:
            # Its workers end by themselves.
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        _, error = process.communicate()
        wait_for_no_process(process.pid)
        if number == 0 and process.returncode != 0:
            assert process.returncode == 130
            assert error.strip().splitlines()[-1] == (
                f"Stopped. Finished results are in {directory}; the same "
                "command resumes the search."
            )
            assert "Traceback" not in error
        now = rows(directory)
        assert [row for row in finished if row not in now] == []
        finished = now
    process = start_search(options)
    _, error = process.communicate()
    assert process.returncode == 0, error
    results = rows(directory)
    assert [row for row in finished if row not in results] == []
    for name, count in (("results.csv", 6), ("trials.csv", 12)):
        mine, whole = rows(directory, name), rows(tmp_path / "whole", name)
        assert len(mine) == len(whole) == count
    assert without_seconds(results) == without_seconds(rows(tmp_path / "whole"))
    names = {path.name for path in directory.iterdir()}
    assert names == {"results.csv", "trials.csv", "settings.json", ".lock"}


@pytest.mark.backends("jax")
@pytest.mark.parametrize("moment", ["workers are started", "all is written"])
def test_interrupted_with_one_sentence(moment, options, tmp_path):
    """Or none, where nothing was left to stop."""
    number = signal.SIGINT
    process = start_search(options)
    if moment == "all is written":
        while not process.stdout.readline().startswith("A page of them"):
            assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    else:
        while not (tmp_path / "results" / "settings.json").exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        time.sleep(1)
        # As from `kill`, or when the machine is shut down.
        number = signal.SIGTERM
    os.kill(process.pid, number)
    _, error = process.communicate()
    wait_for_no_process(process.pid)
    stopped = (
        f"Stopped. Finished results are in {tmp_path / 'results'}; the same "
        "command resumes the search."
    )
    assert (process.returncode, error.strip()) in [(130, stopped), (0, "")]
    assert process.returncode == 130 or moment == "all is written"


def test_a_network_that_kills_its_process(options, tmp_path):
    """It is tried three times, then it is a row like any failure."""
    networks = [f"test_tuning.my_networks:{n}" for n in ("Fatal", "FatalOnce")]
    process = start_search(
        [*options, "--network", *networks],
        python_path=["tests"],
        MARK=str(tmp_path / "mark"),
    )
    _, error = process.communicate()
    assert process.returncode == 1, error
    found = {
        (row["task"], row["network"]): row for row in rows(tmp_path / "results")
    }
    assert len(found) == 4
    for (_, network), row in found.items():
        if network == networks[0]:
            assert row["status"] == "failed"
            assert row["message"] == "the process died with exit code 7"
        else:
            assert row["status"] == "done"
    log = (tmp_path / "results" / "failures.log").read_text()
    assert log.count("exit code 7") == 2 * 3
    assert log.count("exit code 8") == 1
    assert len(rows(tmp_path / "results", "trials.csv")) == 2 * 2


def test_help_needs_no_backend():
    command = [sys.executable, "-m", "tuning.search", "--help"]
    environment = {**os.environ, "KERAS_BACKEND": "none"}
    output = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert "--learning-rate" in output
