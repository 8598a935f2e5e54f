"""KerasTuner's oracles, asked for many trials at once and by many workers."""

import contextlib
import functools
import threading
import time

import keras_tuner

# A worker that has not been heard of for so long is taken for dead. Workers
# make themselves heard four times as often.
LEASE_SECONDS = 60.0


def create_trial(oracle, tuner_id):
    """Asks an oracle for a trial, also while others have not ended."""
    known = len(oracle.trials)
    trial = oracle.create_trial(tuner_id)
    is_new = len(oracle.trials) > known
    if is_new and isinstance(oracle, keras_tuner.oracles.GridSearchOracle):
        # The grid continues from trials that have ended, because a hypermodel
        # may have shown more hyperparameters by then. It continues from such a
        # trial again when that ends, so nothing is lost by doing so now. There
        # is no public way to say it.
        oracle._populate_next.append(trial.trial_id)
    return trial


def restore_grid(oracle):
    """Lets a grid that was reloaded know what it has tried.

    KerasTuner does not save it, and a search that is started again would end
    with a `KeyError`.
    """
    if not isinstance(oracle, keras_tuner.oracles.GridSearchOracle):
        return

    def compare(one, other):
        return oracle._compare(
            *(
                oracle.trials[each].hyperparameters.values
                for each in (one, other)
            )
        )

    for trial_id in sorted(oracle.trials, key=functools.cmp_to_key(compare)):
        oracle._ordered_ids.insert(trial_id)
    # It leaves out those whose next one has been tried.
    oracle._populate_next.extend(oracle.start_order)


@contextlib.contextmanager
def heartbeat(oracle, trial_id, seconds):
    """Makes a worker heard of while it has a trial.

    Args:
        oracle: A KerasTuner oracle, or a worker's client of one.
        trial_id: The trial.
        seconds: Number, how often.
    """
    if isinstance(oracle, keras_tuner.Oracle):
        yield
        return
    ended = threading.Event()

    def beat():
        while not ended.wait(seconds):
            oracle.get_trial(trial_id)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class SharedOracle:
    """An oracle shared by workers, any of which may die.

    It stands in for the oracle that a chief serves. KerasTuner's own keeps the
    trials of a dead worker for its return. This one gives them to the next
    worker that asks, and ends the search when every trial has ended.

    A worker is known by the names it asks under, `"{worker}-{number}"`, and
    alive as long as it asks for trials, or after one that it has been given.

    Args:
        oracle: A KerasTuner oracle.
        lease: Number of seconds after which a silent worker is taken for dead.
    """

    def __init__(self, oracle, lease):
        self._oracle = oracle
        self._lease = lease
        self._heard = {}

    def __getattr__(self, name):
        return getattr(self._oracle, name)

    @property
    def tuner_ids(self):
        """The living workers that have not been told of the end."""
        return {worker for worker in self._heard if self._is_alive(worker)}

    def create_trial(self, tuner_id):
        worker = _worker(tuner_id)
        self._heard[worker] = time.monotonic()
        ongoing = self._oracle.ongoing_trials
        if tuner_id not in ongoing:
            for owner in ongoing:
                if not self._is_alive(_worker(owner)):
                    ongoing[tuner_id] = ongoing.pop(owner)
                    break
        trial = create_trial(self._oracle, tuner_id)
        if trial.status == "STOPPED":
            if ongoing:
                # Their worker may still die.
                trial.status = "IDLE"
            else:
                del self._heard[worker]
        return trial

    def get_trial(self, trial_id):
        for owner, trial in self._oracle.ongoing_trials.items():
            if trial.trial_id == trial_id:
                self._heard[_worker(owner)] = time.monotonic()
        return self._oracle.get_trial(trial_id)

    def update_trial(self, trial_id, metrics, step=0):
        if not self._is_ongoing(trial_id):
            return self._oracle.get_trial(trial_id)
        return self._oracle.update_trial(trial_id, metrics, step=step)

    def end_trial(self, trial):
        # A worker may return after so long a silence that another has done its
        # trials: the first report counts.
        if self._is_ongoing(trial.trial_id):
            self._oracle.end_trial(trial)
            # It saved itself before it took the trial from its worker: a
            # chief that was started again would try it once more.
            self._oracle.save()

    def _is_ongoing(self, trial_id):
        ongoing = self._oracle.ongoing_trials.values()
        return any(trial.trial_id == trial_id for trial in ongoing)

    def _is_alive(self, worker):
        heard = self._heard.get(worker, -self._lease)
        return time.monotonic() - heard < self._lease


def _worker(tuner_id):
    return tuner_id.rpartition("-")[0]
