"""A KerasTuner tuner that trains many trials at once."""

import collections
import contextlib
import os
import threading
import time
import traceback

import keras
import keras_tuner
import numpy as np

from tuning.population.architecture import Architecture
from tuning.population.loops import backend_loops
from tuning.population.population import Population
from tuning.population.population import warn_out_of_memory
from tuning.tuner.oracles import LEASE_SECONDS
from tuning.tuner.oracles import SharedOracle
from tuning.tuner.oracles import create_trial

# What a trial scores whose loss is not a number: finite, as KerasTuner gives
# up a search after a few trials without a score, and worse than all others.
WORST = float(np.finfo("float32").max)


class PopulationTuner(keras_tuner.Tuner):
    """Trains as many trials at once as share an architecture.

    It asks its oracle for all the trials it can give, builds their models,
    trains those that differ in learning rate and weights alone as one
    `tuning.Population`, and reports each trial as any tuner does. Its results
    are those of one trial after the other, to rounding.

    Several processes share a search as with any tuner, one of them the chief,
    by the environment variables `KERASTUNER_TUNER_ID`, `KERASTUNER_ORACLE_IP`
    and `KERASTUNER_ORACLE_PORT`. The trials of a worker that dies are given to
    the others.

    Args:
        oracle: A KerasTuner oracle.
        hypermodel: A KerasTuner hypermodel, or a function of hyperparameters
            that returns a compiled model. If the hypermodel has a method
            `label(hp)`, it says which of several label arrays a trial learns.
        max_members: Positive integer, how many trials to train together at
            most. When the device's memory is too small, their number is
            halved until it suffices. Of several workers, the first one takes
            so many.
        save_checkpoints: Boolean, whether to keep every trial's weights, for
            `get_best_models`: those of its best epoch.
        lease_seconds: Number, how long a worker may be silent before the
            chief gives its trials to others. A worker that trains is not
            silent.
        **kwargs: The arguments of every KerasTuner tuner, `directory`,
            `project_name` and `overwrite` for example.

    `search` takes the arguments of `tuning.Population.fit`. A trial that
    diverges is reported with the worst finite score.

    Example:

    ```python
    oracle = keras_tuner.oracles.GridSearchOracle(
        objective=keras_tuner.Objective("val_loss", "min")
    )
    tuner = tuning.PopulationTuner(oracle, build, directory="search")
    tuner.search(x, y, epochs=10, validation_data=(x_val, y_val))
    ```
    """

    def __init__(
        self,
        oracle,
        hypermodel,
        max_members=1024,
        save_checkpoints=True,
        lease_seconds=LEASE_SECONDS,
        **kwargs,
    ):
        if not isinstance(max_members, int) or max_members < 1:
            raise ValueError(
                "Invalid value for argument `max_members`. Expected a "
                f"positive integer. Received: max_members={max_members!r}"
            )
        super().__init__(oracle, hypermodel, **kwargs)
        self.max_members = max_members
        self.save_checkpoints = save_checkpoints
        self.lease_seconds = lease_seconds

    def search(self, *fit_args, **fit_kwargs):
        verbose = fit_kwargs.pop("verbose", None)
        if verbose is not None and self._owns_oracle():
            self.oracle.verbose = verbose
        if "KERASTUNER_ORACLE_IP" in os.environ and self._owns_oracle():
            # It only serves the oracle.
            self.oracle = SharedOracle(self.oracle, self.lease_seconds)
            super().search(*fit_args, **fit_kwargs)
            return
        self.on_search_begin()
        while trials := self._ask():
            with self._heartbeat(trials):
                self._run_all(trials, fit_args, fit_kwargs)
        self.on_search_end()

    def load_model(self, trial):
        model = self._build(trial.hyperparameters)
        model.load_weights(self._checkpoint(trial.trial_id))
        return model

    def _ask(self):
        """Returns the trials there are now; none when the search is over."""
        trials = []
        while len(trials) < self.max_members:
            # An oracle gives a tuner one trial at a time, so each member asks
            # under a name of its own.
            name = f"{self.tuner_id}-{len(trials)}"
            trial = (
                create_trial(self.oracle, name)
                if self._owns_oracle()
                else self.oracle.create_trial(name)
            )
            if trial.status == "RUNNING":
                trials.append(trial)
            elif trial.status == "STOPPED" or trials:
                break
            else:
                time.sleep(0.1)
        return trials

    def _owns_oracle(self):
        """Whether this process has the oracle, not a worker's client of it."""
        return isinstance(self.oracle, keras_tuner.Oracle)

    @contextlib.contextmanager
    def _heartbeat(self, trials):
        """Makes a worker heard of while it has trials."""
        ended = threading.Event()

        def beat():
            while not ended.wait(self.lease_seconds / 4):
                self.oracle.get_trial(trials[0].trial_id)

        if self._owns_oracle():
            yield
            return
        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _build(self, hp):
        model = self.hypermodel.build(hp)
        # Hyperband goes on with what an earlier trial has learned.
        earlier = hp.values.get("tuner/trial_id")
        if earlier is not None:
            model.load_weights(self._checkpoint(earlier))
        return model

    def _run_all(self, trials, fit_args, fit_kwargs):
        """Trains trials, bucket by bucket, and reports them.

        A trial that failed is reported before the next one, so that an oracle
        that counts failures in a row counts as if it went trial by trial.
        """
        failed = collections.deque()
        for epochs, bucket in self._buckets(trials, failed):
            if epochs is not None:
                fit_kwargs = {**fit_kwargs, "epochs": epochs}
            for number, trial in self._run(bucket, fit_args, fit_kwargs):
                while failed and failed[0][0] < number:
                    self.on_trial_end(failed.popleft()[1])
                self.on_trial_end(trial)
        for _, trial in failed:
            self.on_trial_end(trial)

    def _buckets(self, trials, failed):
        """Returns pairs of epochs and a list of (number, trial, model)."""
        buckets = collections.defaultdict(list)
        for number, trial in enumerate(trials):
            self.on_trial_begin(trial)
            values = trial.hyperparameters.values
            epochs = values.get("tuner/epochs")
            if epochs is not None:
                epochs -= values["tuner/initial_epoch"]
            try:
                model = self._build(trial.hyperparameters)
                key = Architecture(model).key
            except keras_tuner.errors.FatalError:
                raise
            except Exception as error:
                _set_failed(trial, error)
                failed.append((number, trial))
            else:
                buckets[key, epochs].append((number, trial, model))
        return [(epochs, bucket) for (_, epochs), bucket in buckets.items()]

    def _run(self, bucket, fit_args, fit_kwargs):
        """Trains a bucket as one population; yields its trials' ends."""
        try:
            logs, checkpoint = self._train(bucket, fit_args, fit_kwargs)
        except keras_tuner.errors.FatalError:
            raise
        except Exception as error:
            if len(bucket) > 1 and backend_loops().is_out_of_memory(error):
                half = len(bucket) // 2
                warn_out_of_memory(len(bucket), half)
                self.max_members = min(self.max_members, half)
                # Without its traceback, which holds on to the memory.
                error.__traceback__ = None
                yield from self._run(bucket[:half], fit_args, fit_kwargs)
                yield from self._run(bucket[half:], fit_args, fit_kwargs)
                return
            for number, trial, _ in bucket:
                _set_failed(trial, error)
                yield number, trial
            return
        for i, (number, trial, model) in enumerate(bucket):
            if self.save_checkpoints:
                model.set_weights(checkpoint.weights[i])
                model.save_weights(self._checkpoint(trial.trial_id))
            epoch, best = self._best(
                [{name: log[name][i] for name in log} for log in logs]
            )
            self.oracle.update_trial(trial.trial_id, best, step=epoch)
            trial.status = "COMPLETED"
            yield number, trial

    def _train(self, bucket, fit_args, fit_kwargs):
        _, trials, models = zip(*bucket, strict=True)
        if hasattr(self.hypermodel, "label"):
            fit_kwargs = {
                **fit_kwargs,
                "labels": [
                    self.hypermodel.label(trial.hyperparameters)
                    for trial in trials
                ],
            }
        checkpoint = _BestWeights(self)
        callbacks = list(fit_kwargs.get("callbacks") or [])
        if self.save_checkpoints:
            callbacks.append(checkpoint)
        history = Population(models).fit(
            *fit_args, **{**fit_kwargs, "callbacks": callbacks}
        )
        logs = [
            {name: values[epoch] for name, values in history.history.items()}
            for epoch in history.epoch
        ]
        return logs, checkpoint

    def _best(self, logs):
        """Returns the best epoch of a trial, and its metrics."""
        objective = self.oracle.objective
        best = None
        for epoch, log in enumerate(logs):
            value, log = self._score(log)
            if best is None or objective.better_than(value, best[0]):
                best = value, epoch, log
        return best[1:]

    def _score(self, log):
        """Returns a trial's score in an epoch, and its metrics, all finite."""
        objective = self.oracle.objective
        if not objective.has_value(log):
            raise ValueError(
                f"The oracle's objective should be one of {list(log)}. "
                f"Received: objective={objective.name!r}"
            )
        directions = getattr(
            objective,
            "name_to_direction",
            {objective.name: objective.direction},
        )
        log = {
            name: float(value)
            if np.isfinite(value)
            else (-WORST if directions.get(name) == "max" else WORST)
            for name, value in log.items()
        }
        # Of several objectives, the sum is one more metric.
        log[objective.name] = objective.get_value(log)
        return log[objective.name], log

    def _checkpoint(self, trial_id):
        return os.path.join(
            self.get_trial_dir(trial_id), "checkpoint.weights.h5"
        )


class _BestWeights(keras.callbacks.Callback):
    """Keeps each member's weights of its best epoch."""

    def __init__(self, tuner):
        super().__init__()
        self._tuner = tuner
        self._scores = {}
        self.weights = {}

    def on_epoch_end(self, epoch, logs):
        for i in range(self.model.num_members):
            score, _ = self._tuner._score(
                {name: logs[name][i] for name in logs}
            )
            if (
                i not in self._scores
                or self._tuner.oracle.objective.better_than(
                    score, self._scores[i]
                )
            ):
                self._scores[i] = score
                self.weights[i] = self.model.member_weights(i)


def _set_failed(trial, error):
    """Gives a trial the status and message that KerasTuner would."""
    is_final = isinstance(error, keras_tuner.errors.FailedTrialError)
    # An invalid trial may be tried again, if the oracle wants that.
    trial.status = "FAILED" if is_final else "INVALID"
    trial.message = "".join(traceback.format_exception(error))
