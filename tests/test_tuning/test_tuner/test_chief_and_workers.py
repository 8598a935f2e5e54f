"""A search of several processes, one of which is killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import keras_tuner
import pytest

from tuning import PopulationTuner
from tuning.tuner.oracles import SharedOracle

WORKER = """
import os, sys, time
import keras, keras_tuner
from test_tuning import small
from tuning import PopulationTuner
from tuning.tuner import trains_together

def build(hp):
    return small.model(
        rate=hp.Choice("rate", [1e-3, 1e-2, 1e-1]),
        seed=hp.Choice("seed", [0, 1, 2]),
        metrics=(),
    )

fit = trains_together.fit_as_keras
def slow(models, *args, **kwargs):
    print("fit", len(models), flush=True)
    if os.environ["KERASTUNER_TUNER_ID"] == "doomed":
        time.sleep(300)
    # Longer than the lease: a worker at work is not taken for dead.
    time.sleep(2)
    return fit(models, *args, **kwargs)
trains_together.fit_as_keras = slow

tuner = PopulationTuner(
    keras_tuner.oracles.GridSearchOracle(
        objective=keras_tuner.Objective("val_loss", "min")
    ),
    build,
    max_members=3,
    lease_seconds=1.5,
    directory=sys.argv[1],
)
x, y = small.records()
tuner.search(x, y, batch_size=16, validation_data=(x, y), verbose=0)
print("end", flush=True)
"""


@pytest.fixture
def start(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = []

    def start(name):
        environment = {
            **os.environ,
            "KERASTUNER_TUNER_ID": name,
            "KERASTUNER_ORACLE_IP": "127.0.0.1",
            "KERASTUNER_ORACLE_PORT": str(port),
            "PYTHONPATH": os.pathsep.join([".", "tests"]),
        }
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, tmp_path],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


# Four processes start, which takes half a minute where models are compiled.
@pytest.mark.backends("torch")
def test_the_trials_of_a_killed_worker_are_finished(start, tmp_path):
    chief, doomed, other = map(start, ("chief", "doomed", "worker"))
    for worker in (doomed, other):
        while (line := worker.stdout.readline()) != "fit 3\n":
            assert line, worker.stderr.read()
    doomed.send_signal(signal.SIGKILL)
    output, error = other.communicate(timeout=90)
    assert output == "fit 3\nfit 3\nend\n", error
    output, error = chief.communicate(timeout=60)
    assert (chief.returncode, output) == (0, "end\n"), error
    trials = [
        json.loads(path.read_text())
        for path in tmp_path.glob("untitled_project/trial_*/trial.json")
    ]
    assert [trial["status"] for trial in trials] == ["COMPLETED"] * 9
    tried = {
        (values["rate"], values["seed"])
        for values in (t["hyperparameters"]["values"] for t in trials)
    }
    assert len(tried) == 9


def grid(directory):
    """Returns a tuner with a grid of three trials."""
    hyperparameters = keras_tuner.HyperParameters()
    hyperparameters.Choice("rate", [1, 2, 3])
    oracle = keras_tuner.oracles.GridSearchOracle(
        objective=keras_tuner.Objective("loss", "min"),
        hyperparameters=hyperparameters,
    )
    oracle.verbose = 0
    return PopulationTuner(oracle, lambda hp: None, directory=directory)


@pytest.fixture
def oracle(tmp_path, monkeypatch):
    """A shared grid of three trials, and a clock to set."""
    inner = grid(tmp_path).oracle
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    shared = SharedOracle(inner, lease=10)
    shared.clock = clock
    return shared


def end(oracle, trial):
    oracle.update_trial(trial.trial_id, {"loss": 1.0})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)


pytestmark = [
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
]


def test_a_silent_workers_trials_go_to_the_next_that_asks(oracle):
    lost = [oracle.create_trial(f"a-{i}") for i in range(2)]
    mine = oracle.create_trial("b-0")
    oracle.clock[0] += 9
    assert oracle.create_trial("b-1").status == "IDLE"
    oracle.clock[0] += 2
    taken = [oracle.create_trial(f"b-{i}") for i in (1, 2)]
    assert [t.trial_id for t in taken] == [t.trial_id for t in lost]
    assert oracle.create_trial("b-3").status == "IDLE"
    for trial in (mine, *taken):
        end(oracle, trial)
    assert oracle.create_trial("b-0").status == "STOPPED"
    assert not oracle.tuner_ids and not oracle.ongoing_trials
    assert len(oracle.trials) == 3


def test_a_worker_that_was_silent_for_too_long_counts_once(oracle):
    mine = oracle.create_trial("a-0")
    oracle.clock[0] += 11
    taken = oracle.create_trial("b-0")
    assert taken.trial_id == mine.trial_id
    end(oracle, taken)
    late = keras_tuner.engine.trial.Trial.from_state(mine.get_state())
    returned = oracle.update_trial(late.trial_id, {"loss": 2.0})
    assert returned.trial_id == mine.trial_id
    late.status = "COMPLETED"
    oracle.end_trial(late)
    assert oracle.end_order == [mine.trial_id]
    (history,) = oracle.trials[mine.trial_id].metrics.get_history("loss")
    assert history.value == [1.0]


def test_a_worker_that_asks_after_its_trial_is_alive(oracle):
    trials = [oracle.create_trial(f"a-{i}") for i in range(3)]
    for _ in range(5):
        oracle.clock[0] += 9
        oracle.get_trial(trials[0].trial_id)
        assert oracle.create_trial("b-0").status == "IDLE"


def test_a_worker_that_comes_back_finds_its_trials(oracle):
    """Started again under its name, while nobody else has asked."""
    lost = [oracle.create_trial(f"a-{i}") for i in range(2)]
    oracle.clock[0] += 100
    again = [oracle.create_trial(f"a-{i}") for i in range(2)]
    assert [t.trial_id for t in again] == [t.trial_id for t in lost]


def test_nobody_is_told_of_the_end_before_all_have_ended(oracle):
    trials = [oracle.create_trial(f"a-{i}") for i in range(3)]
    assert oracle.create_trial("b-0").status == "IDLE"
    for trial in trials:
        end(oracle, trial)
    assert oracle.create_trial("b-0").status == "STOPPED"
    # The chief waits for the other one, as long as that is alive.
    assert oracle.tuner_ids == {"a"}
    oracle.clock[0] += 11
    assert not oracle.tuner_ids


def test_a_chief_that_is_started_again(tmp_path):
    """It tries again what had not ended, and nothing twice."""

    def start_chief():
        tuner = grid(tmp_path)
        # As KerasTuner does before a chief serves others.
        tuner.save()
        return SharedOracle(tuner.oracle, lease=10)

    chief = start_chief()
    done, lost = (chief.create_trial(f"a-{i}") for i in range(2))
    end(chief, done)
    chief = start_chief()
    trials = [chief.create_trial(f"a-{i}") for i in range(2)]
    assert trials[0].trial_id == lost.trial_id
    for trial in trials:
        end(chief, trial)
    assert chief.create_trial("a-0").status == "STOPPED"
    assert len(chief.trials) == 3
    assert sorted(chief.end_order) == sorted(chief.trials)
