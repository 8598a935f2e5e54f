"""Searches on a Dask cluster; what trains is the same on every backend."""

import csv
import os
import pathlib
import re
import signal
import sys
import threading
import time
import types

import distributed
import keras
import pytest
from support.processes import end
from support.processes import start_dask
from support.processes import start_search

from tuning import search
from tuning.population.processors import processors
from tuning.study import cluster as cluster_module
from tuning.study.cluster import Cluster

pytestmark = [
    pytest.mark.backends("torch"),
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
]
NETWORK = "test_tuning.my_networks:Held"


def read(directory, name):
    with open(f"{directory}/{name}", newline="") as file:
        rows = [{**row, "seconds": ""} for row in csv.DictReader(file)]
    return sorted(rows, key=str)


def wait_for(condition):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def marks(tmp_path_factory):
    return tmp_path_factory.mktemp("marks")


@pytest.fixture(scope="module")
def dask_cluster(marks, tmp_path_factory):
    """A scheduler and three workers, which are missed after seconds.

    Returns the path of the scheduler's file, and the scheduler's process.
    """
    folder = tmp_path_factory.mktemp("cluster")
    path = folder / "scheduler.json"
    environment = {
        "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "1s",
        "MARK": str(marks),
    }
    processes = [start_dask("scheduler", path, **environment)]
    # One that is killed stays dead, one that is silent returns.
    options = ["--no-nanny", "--local-directory", folder]
    for _ in range(3):
        processes.append(start_dask("worker", path, *options, **environment))
    yield path, processes[0]
    end(processes)


@pytest.fixture
def options(options, monkeypatch):
    # Where the test compares with one process.
    monkeypatch.setattr("tuning.study.workers.processors", lambda: [0])
    return [
        *(each for each in options if each != "multiply_simple"),
        *(NETWORK, "--activation", "linear", "--save-best"),
        str(options[3]) + "_models",
        *("--task", "logical_xor", "logical_and", "--seeds", "3"),
    ]


def test_a_worker_is_killed_and_one_is_silent(
    dask_cluster, marks, options, tmp_path, capsys
):
    """Every row is there once, with the figures of one process."""
    pids, (path, _) = [], dask_cluster
    with distributed.Client(scheduler_file=path) as client:
        client.wait_for_workers(3, timeout=60)

    def disturb():
        for name in ("first", "second"):
            wait_for(lambda name=name: (marks / name).exists())
            time.sleep(0.1)
            pids.append(int((marks / name).read_text()))
        os.kill(pids[0], signal.SIGKILL)
        os.kill(pids[1], signal.SIGSTOP)
        with distributed.Client(scheduler_file=path) as client:
            wait_for(lambda: len(client.nthreads()) == 1)
        os.kill(pids[1], signal.SIGCONT)
        (marks / "go").touch()

    thread = threading.Thread(target=disturb)
    thread.start()
    assert search.main([*options, "--cluster", str(path)]) == 0
    thread.join()
    assert len(set(pids)) == 2
    assert "3 workers" in capsys.readouterr().out
    whole = tmp_path / "whole"
    assert search.main([*options, "--directory", str(whole)]) == 0
    for name, count in (("results.csv", 6), ("trials.csv", 12)):
        rows = read(tmp_path / "results", name)
        assert len(rows) == count
        assert rows == read(whole, name)
    models = {each.name for each in (tmp_path / "results_models").iterdir()}
    assert len(models - {".lock"}) == 2 * 2


def test_a_worker_that_differs_is_refused_by_name(
    dask_cluster, options, monkeypatch, capsys
):
    def others(backend):
        return {"kmul": "0.0.1", "keras": "0.0.2", "backend_version": "0.0.3"}

    monkeypatch.setattr(cluster_module, "versions", others)
    assert search.main([*options, "--cluster", str(dask_cluster[0])]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("search: error: Workers that differ: tcp://")
    assert f"has keras {keras.__version__}, not 0.0.2" in line


def count(mark, send):
    """A job that waits until it is heard of."""
    send("steps", 1)
    time.sleep(1.1)
    send("steps", 2)
    wait_for(mark.exists)
    send("steps", 4)


def test_steps_are_told_while_a_job_runs(dask_cluster, tmp_path):
    """And again with its end, but once in all."""
    mark, told = tmp_path / "heard", []
    with cluster_module.connect(str(dask_cluster[0]), "torch") as cluster:
        for _, kind, content in cluster.run_jobs([mark], count):
            mark.touch()
            told.append((kind, content))
    assert told.pop() == ("finished", None)
    assert told.pop(0) == ("steps", 3)
    assert sum(content for _, content in told) == 4


def test_a_search_is_interrupted(dask_cluster, options, marks, tmp_path):
    """Its jobs are cancelled, its rows are kept, and it is continued."""
    (marks / "go").unlink()
    path, results = dask_cluster[0], tmp_path / "results"
    options = [*options, "--cluster", str(path)]
    process = start_search(options, python_path=["tests"])
    try:
        wait_for((results / "results.csv").exists)
        # From now on a job is held.
        (marks / "second").unlink()
        wait_for((marks / "second").exists)
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=30)
        with distributed.Client(scheduler_file=path) as client:
            wait_for(lambda: not any(client.processing().values()))
    finally:
        end([process])
        (marks / "go").touch()
    assert process.returncode == 130
    assert error == (
        f"\nStopped. Finished results are in {results}; the same command "
        "resumes the search.\n"
    )
    before = read(results, "results.csv")
    assert search.main(options) == 0
    rows = read(results, "results.csv")
    assert len(rows) == 6 and all(row in rows for row in before)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="looks into /proc"
)
def test_a_cluster_of_this_machine_is_interrupted(options, tmp_path):
    """As by a terminal: all its processes are."""
    process = start_search(
        [*options, "--cluster", "local"],
        python_path=["tests"],
        MARK=str(tmp_path),
    )
    try:
        for name in ("first", "second")[: len(processors())]:
            wait_for((tmp_path / name).exists)
            # Workers leave it to the search what is to become of them.
            status = pathlib.Path("/proc", (tmp_path / name).read_text())
            (blocked,) = re.findall(
                r"SigBlk:\s*(\w+)", (status / "status").read_text()
            )
            assert int(blocked, 16) & 1 << signal.SIGINT - 1
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=30)
    finally:
        end([process])
    assert process.returncode == 130
    assert error.startswith("\nStopped. Finished results are in ")
    assert error.count("\n") == 2


def test_the_scheduler_dies(dask_cluster, options, marks, tmp_path, capsys):
    path, scheduler = dask_cluster
    (marks / "first").unlink()

    def kill():
        wait_for((marks / "first").exists)
        scheduler.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    options = [*options, "--directory", str(tmp_path / "other")]
    assert search.main([*options, "--cluster", str(path)]) == 2
    thread.join()
    assert capsys.readouterr().err == (
        f"search: error: The scheduler of {path} is gone. All that had "
        "ended is kept; the same command resumes the search.\n"
    )
    # Or one without the scheduler.
    assert search.main(options) == 0
    assert len(read(tmp_path / "other", "results.csv")) == 6


@pytest.mark.parametrize(
    "where, message",
    [
        ("tcp://127.0.0.1:9", "No scheduler answers at tcp://127.0.0.1:9"),
        ("ftp://here", "No scheduler answers at ftp://here"),
        ("/nowhere.json", "There is no scheduler file /nowhere.json"),
    ],
)
def test_no_cluster(where, message, options, monkeypatch, capsys):
    monkeypatch.setattr(cluster_module, "PATIENCE", 0.5)
    assert search.main([*options, "--cluster", where]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"search: error: {message}")


def test_what_a_worker_is_told(monkeypatch):
    """One that runs two jobs at once, or is on another backend, is refused."""
    mine = cluster_module.versions(keras.config.backend())

    def complaint(threads, backend):
        state = types.SimpleNamespace(nthreads=threads)
        worker = types.SimpleNamespace(state=state)
        return cluster_module._complaint(backend, mine, worker)

    assert complaint(1, "torch") is None
    assert "runs 2 jobs in one process; start it with" in complaint(2, "torch")
    assert "has imported Keras on torch" in complaint(1, "jax")


class Client:
    """Answers for a cluster: a refusal, then deaths, then rows."""

    key = "key"

    def __init__(self):
        worker = types.SimpleNamespace(address="tcp://b:2")
        self.answers = [
            cluster_module._Refusal("a:1 has keras 2, not 3", "a:1"),
            distributed.KilledWorker("key", worker, 3),
            [("steps", 3), ("steps", 4), ("rows", 5), ("finished", None)],
        ]
        self.retired = []

    def subscribe_topic(self, topic, handler):
        self.tell = handler

    def submit(self, *args, **kwargs):
        return self

    def add_done_callback(self, function):
        # The last is of a worker that was silent, and began before another.
        for told in (("key", 4), ("other", 100), ("key", 2)):
            self.tell((0.0, told))
        function(self)

    def retire_workers(self, workers, close_workers):
        self.retired += workers

    def result(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_events_are_those_of_the_pool():
    client = Client()
    cluster = Cluster(client, "tcp://a:1", "torch")
    jobs = ["job"]
    events = []
    for job, kind, content in cluster.run_jobs(jobs, print):
        events.append((job, kind, str(content)))
        if kind == "error":
            assert content.attempts == 4
            jobs.append("again")
    steps = [("again", "steps", each) for each in "4003"]
    assert [each for each in events if each[1] != "steps"] == [
        ("job", "warning", "Refused: a:1 has keras 2, not 3"),
        ("job", "error", "its worker died 4 times, the last time at tcp://b:2"),
        ("again", "rows", "5"),
        ("again", "finished", "None"),
    ]
    assert [each for each in events if each[:2] == ("again", "steps")] == steps
    assert client.retired == ["a:1"]
