"""A KerasTuner tuner that trains many trials at once."""

import collections
import os
import time
import traceback

import keras_tuner
import numpy as np

from tuning.architecture import Architecture
from tuning.loops import backend_loops
from tuning.population import Population

# What a trial scores whose loss is not a number: finite, as KerasTuner gives
# up a search after a few trials without a score, and worse than all others.
WORST = float(np.finfo("float32").max)


class PopulationTuner(keras_tuner.Tuner):
    """Trains as many trials at once as share an architecture.

    It asks its oracle for all the trials it can give, builds their models,
    trains those that differ in learning rate and weights alone as one
    `tuning.Population`, and reports each trial as any tuner does. Its results
    are those of one trial after the other, to rounding.

    Args:
        oracle: A KerasTuner oracle: random, Bayesian, Hyperband, or
            `tuning.GridOracle`. (KerasTuner's own grid hands out one trial
            after the other, so it gains nothing.)
        hypermodel: A KerasTuner hypermodel, or a function of hyperparameters
            that returns a compiled model. If the hypermodel has a method
            `label(hp)`, it says which of several label arrays a trial learns.
        max_members: Positive integer, how many trials to train together at
            most. When the device's memory is too small, their number is
            halved until it suffices.
        save_checkpoints: Boolean, whether to keep every trial's weights, for
            `get_best_models`.
        **kwargs: The arguments of every KerasTuner tuner, `directory`,
            `project_name` and `overwrite` for example.

    `search` takes the arguments of `tuning.Population.fit`. A trial that
    diverges is reported with the worst finite score.

    Example:

    ```python
    oracle = tuning.GridOracle(
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

    def search(self, *fit_args, **fit_kwargs):
        if os.environ.get("KERASTUNER_ORACLE_IP") and os.environ.get(
            "KERASTUNER_TUNER_ID", ""
        ).startswith("chief"):
            # The chief only serves the oracle.
            return super().search(*fit_args, **fit_kwargs)
        self.oracle.verbose = fit_kwargs.pop("verbose", self.oracle.verbose)
        self.on_search_begin()
        while trials := self._ask():
            for (_, epochs), bucket in self._by_architecture(trials).items():
                if epochs is not None:
                    fit_kwargs["epochs"] = epochs
                self._run(bucket, fit_args, fit_kwargs)
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
            trial = self.oracle.create_trial(f"{self.tuner_id}-{len(trials)}")
            if trial.status == "RUNNING":
                trials.append(trial)
            elif trial.status == "STOPPED" or trials:
                break
            else:
                time.sleep(0.1)
        return trials

    def _build(self, hp):
        model = self.hypermodel.build(hp)
        # Hyperband goes on with what an earlier trial has learned.
        earlier = hp.values.get("tuner/trial_id")
        if earlier is not None:
            model.load_weights(self._checkpoint(earlier))
        return model

    def _by_architecture(self, trials):
        """Returns lists of (trial, model), by architecture and epochs."""
        buckets = collections.defaultdict(list)
        for trial in trials:
            self.on_trial_begin(trial)
            values = trial.hyperparameters.values
            epochs = values.get("tuner/epochs")
            if epochs is not None:
                epochs -= values["tuner/initial_epoch"]
            try:
                model = self._build(trial.hyperparameters)
                key = Architecture(model).key
            except Exception:
                self._fail(trial)
            else:
                buckets[key, epochs].append((trial, model))
        return buckets

    def _run(self, bucket, fit_args, fit_kwargs):
        """Trains a bucket as one population and reports its trials."""
        try:
            population, logs = self._train(bucket, fit_args, fit_kwargs)
        except Exception as error:
            if len(bucket) > 1 and backend_loops().is_out_of_memory(error):
                self.max_members = len(bucket) // 2
                self._run(bucket[: self.max_members], fit_args, fit_kwargs)
                self._run(bucket[self.max_members :], fit_args, fit_kwargs)
                return
            for trial, _ in bucket:
                self._fail(trial)
            return
        for i, (trial, model) in enumerate(bucket):
            if self.save_checkpoints:
                model.set_weights(population.member_weights(i))
                model.save_weights(self._checkpoint(trial.trial_id))
            epoch, best = self._best(
                [{k: log[k][i] for k in log} for log in logs]
            )
            self.oracle.update_trial(trial.trial_id, best, step=epoch)
            trial.status = "COMPLETED"
            self.on_trial_end(trial)

    def _train(self, bucket, fit_args, fit_kwargs):
        trials, models = zip(*bucket, strict=True)
        if hasattr(self.hypermodel, "label"):
            fit_kwargs = {
                **fit_kwargs,
                "labels": [
                    self.hypermodel.label(trial.hyperparameters)
                    for trial in trials
                ],
            }
        population = Population(models)
        history = population.fit(*fit_args, **fit_kwargs).history
        logs = [
            {name: values[epoch] for name, values in history.items()}
            for epoch in range(len(history["loss"]))
        ]
        return population, logs

    def _best(self, logs):
        """Returns the best epoch of a trial, and its metrics."""
        objective = self.oracle.objective
        best = None
        for epoch, log in enumerate(logs):
            log = {name: self._finite(name, log[name]) for name in log}
            value = objective.get_value(log)
            if best is None or objective.better_than(value, best[0]):
                best = value, epoch, log
        return best[1:]

    def _finite(self, name, value):
        if np.isfinite(value):
            return float(value)
        objective = self.oracle.objective
        worst_is_low = objective.name == name and objective.direction == "max"
        return -WORST if worst_is_low else WORST

    def _fail(self, trial):
        """Reports the exception that is being handled as the trial's end."""
        trial.status = "FAILED"
        trial.message = traceback.format_exc()
        self.on_trial_end(trial)

    def _checkpoint(self, trial_id):
        return os.path.join(
            self.get_trial_dir(trial_id), "checkpoint.weights.h5"
        )
