"""KerasTuner's tuners, with many trials trained at once.

One class, which is mixed with each of KerasTuner's: that is why the file is
long.
"""

import collections
import contextlib
import dataclasses
import itertools
import json
import os
import threading
import time

import keras
import keras_tuner
import numpy as np

from kmul._validation import check_positive_integer
from tuning.population.keras_fit import fit_as_keras
from tuning.population.loops import backend_loops
from tuning.population.population import warn_out_of_memory
from tuning.tuner import own_fit
from tuning.tuner.best_epochs import BestEpochs
from tuning.tuner.buckets import group
from tuning.tuner.buckets import side_by_side
from tuning.tuner.epoch_hooks import EpochHooks
from tuning.tuner.fit_arguments import FitArguments
from tuning.tuner.fit_arguments import OneByOne
from tuning.tuner.oracles import LEASE_SECONDS
from tuning.tuner.oracles import SharedOracle
from tuning.tuner.oracles import create_trial
from tuning.tuner.oracles import heartbeat
from tuning.tuner.oracles import restore_grid
from tuning.tuner.results import results_table
from tuning.tuner.telling import first_line
from tuning.tuner.telling import tell

# Parameters of the models that are built before they are trained, at most.
# Each is held about five times: with its gradient, its optimizer's values and
# as one of many.
MOST_PARAMETERS = 2**26
# Trials that an oracle is asked for before it knows how the last ones ended,
# if it learns from them.
AHEAD = 8
# Where KerasTuner looks for a trial's model.
BUILD_CONFIG = "build_config.json"
CHECKPOINT = "checkpoint.weights.h5"
# Methods that a subclass may define to change how a trial is run; those with an
# underscore are AutoKeras's way in.
HOOKS = (
    "run_trial",
    "on_batch_begin",
    "on_batch_end",
    "_build_and_fit_model",
    "_build_hypermodel",
    "_override_compile_args",
    "_run_and_update_trial",
    "_try_build",
    "_try_run_and_update_trial",
)


class TrainsTogether:
    """Training together: the addition to KerasTuner's tuners.

    Args:
        *args: The arguments of KerasTuner's tuner.
        max_members: Positive integer, how many trials to train together at
            most. When the device's memory is too small, their number is
            halved until it suffices. A chief's first worker takes that many.
            Default: 1024, or 8 where the oracle learns from trials
            that have ended, as `BayesianOptimization` does.
        workers: Positive integer, how many architectures to train side by
            side, each in a thread of its own: most of a short search is
            compilation, which leaves the others alone. Default: as many as
            processors, or 1 on an accelerator and on PyTorch.
        save_checkpoints: Boolean, whether to keep every trial's weights, for
            `get_best_models`: those of its best epoch.
        lease_seconds: Number, how long a worker may be silent before the
            chief gives its trials to others. A worker that trains is not
            silent.
        **kwargs: The arguments of KerasTuner's tuner.
    """

    def __init__(
        self,
        *args,
        max_members=None,
        workers=None,
        save_checkpoints=True,
        lease_seconds=LEASE_SECONDS,
        **kwargs,
    ):
        for name, value in (("max_members", max_members), ("workers", workers)):
            if value is not None:
                check_positive_integer(name, value)
        if (workers or 1) > 1 and keras.config.backend() == "torch":
            raise ValueError(
                "Invalid value for argument `workers`. Expected 1 on PyTorch, "
                "which records one program at a time. "
                f"Received: workers={workers}"
            )
        self._seconds = {}
        self._shared = None
        self._arguments = {}
        self._seeds = {}
        self._interrupted = threading.Event()
        self._models = {}
        self._results = {}
        self._alone = {}
        super().__init__(*args, **kwargs)
        if (
            self.hypermodel is None
            and type(self).run_trial is TrainsTogether.run_trial
        ):
            raise ValueError(
                "Invalid value for argument `hypermodel`. Expected a "
                "hypermodel, or a subclass with its own `run_trial`. "
                "Received: hypermodel=None"
            )
        if max_members is None:
            learns = isinstance(
                self.oracle, keras_tuner.oracles.BayesianOptimizationOracle
            )
            max_members = AHEAD if learns else 1024
        self.max_members = max_members
        self.workers = workers or backend_loops().most_threads()
        self.save_checkpoints = save_checkpoints
        self.lease_seconds = lease_seconds

    def search(self, *fit_args, **fit_kwargs):
        """Searches for the best hyperparameters.

        Trials whose models have one architecture are trained together, by
        `Population`; any other is trained by itself, by KerasTuner and
        Keras's `fit`, with a line that says which and why. The results are
        the same, to rounding.

        Args:
            *fit_args: The arguments of `keras.Model.fit`: `x`, `y`, ….
                Arrays of NumPy, pandas or a backend, also several in a list or
                dictionary, and streams of batches can be trained on together.
                All trials see their batches in one order.
            **fit_kwargs: The same by name; `epochs`, `batch_size`,
                `validation_data` or `validation_split`, `sample_weight`,
                `class_weight`, `callbacks` (a copy for each trial) and
                `verbose`, 0 for no output, among them.
        """
        if "verbose" in fit_kwargs and self._owns_oracle():
            self.oracle.verbose = fit_kwargs["verbose"]
        if "KERASTUNER_ORACLE_IP" in os.environ and self._owns_oracle():
            # It only serves the oracle.
            self.oracle = SharedOracle(self.oracle, self.lease_seconds)
            super().search(*fit_args, **fit_kwargs)
            return
        reason = self._why_one_by_one(fit_args, fit_kwargs)
        if reason is not None:
            if self._is_verbose(fit_kwargs):
                print(f"All trials are trained one by one: {reason}.")
            if self._owns_oracle():
                super().search(*fit_args, **fit_kwargs)
                return
        self.on_search_begin()
        while asked := self._ask(reason is not None, fit_args, fit_kwargs):
            # The last of them is reported last.
            last = asked[-1][0].trial_id
            with heartbeat(self.oracle, last, self.lease_seconds / 4):
                self._run_all(asked, fit_args, fit_kwargs)
        # It holds on to the data.
        self._shared = None
        self.on_search_end()

    def run_trial(self, trial, *args, **kwargs):
        """Returns the histories of a trial, trained with others or now."""
        result = self._results.get(trial.trial_id)
        if isinstance(result, Exception):
            raise result
        if result is not None:
            return result
        values = trial.hyperparameters.values
        if "tuner/epochs" in values:
            # Hyperband's, with any tuner.
            kwargs["epochs"] = values["tuner/epochs"]
            kwargs["initial_epoch"] = values["tuner/initial_epoch"]
        return self.run_alone(trial, *args, **kwargs)

    def run_alone(self, trial, *args, **kwargs):
        """Trains a trial by itself, as KerasTuner does.

        May be overridden, as `run_together`. Arguments and results are those
        of KerasTuner's `run_trial`.
        """
        return super().run_trial(trial, *args, **kwargs)

    def why_alone(self, trial):
        """Returns why a trial is run alone: an exception, or None."""
        return self._alone.get(trial.trial_id)

    def run_together(self, trials, models, fit_args, fit_kwargs):
        """Trains trials of one architecture.

        May be overridden, for another way of training.

        Args:
            trials: List of `keras_tuner.engine.trial.Trial`s.
            models: List of a list of models per trial, one for each of its
                executions.
            fit_args, fit_kwargs: What `search` was called with.

        Returns:
            A list of results per trial, each as `run_trial` returns it.

        Raises:
            Exception: They cannot be trained together, so each will be by
                itself. In a subclass with this method and no `run_alone`,
                they have failed.
        """
        asked = [
            each
            for trial in trials
            # Callbacks are used once; a second try has others.
            for each in self._arguments.pop(trial.trial_id, None)
            or self._read(trial, fit_args, fit_kwargs)
        ]
        first, count = asked[0], self.executions_per_trial
        members = [model for some in models for model in some]
        owners = [trial for trial in trials for _ in range(count)]
        best = BestEpochs(self.oracle.objective)
        is_verbose = self._is_verbose(fit_kwargs)

        def at_epoch_end(epoch, logs, weights):
            if self.save_checkpoints:
                best.update(logs, weights)
            if is_verbose:
                epochs = first.options["epochs"]
                print(f"Epoch {epoch + 1}/{epochs} of {len(logs)} models")

        seed = self._seeds.pop(trials[0].trial_id, None)
        histories = fit_as_keras(
            members,
            first.train,
            first.validation,
            rng=None if seed is None else np.random.RandomState(seed),
            callbacks=[
                [*each.callbacks, *self._hooks(trial)]
                for each, trial in zip(asked, owners, strict=True)
            ],
            on_epoch_end=at_epoch_end,
            interrupted=self._interrupted,
            **first.options,
        )
        if self.save_checkpoints:
            for i, trial in enumerate(trials):
                mine = range(i * count, (i + 1) * count)
                self._save(trial, models[i], best.weights(mine))
        return [
            histories[i * count : (i + 1) * count] for i in range(len(trials))
        ]

    def results(self):
        """Returns all trials as a table.

        Returns:
            A `pandas.DataFrame` with a row per trial, in the order they
            began: `trial`, its hyperparameters under their names, its
            metrics at its best epoch, `score`, `best_step`, `status`, the
            last line of its `message`, and `seconds` (of trials that were
            trained together, each one's share).
        """
        return results_table(self.oracle, self._seconds)

    def plot(self):
        """Returns a picture of the search.

        Returns:
            A `matplotlib.figure.Figure`: the score of each trial in the order
            of their beginning, and by each hyperparameter that was varied.
            Save it by `savefig`; a notebook shows it.
        """
        # Matplotlib takes half a second, and most searches draw nothing.
        from tuning.tuner.plot import plot_results

        objective = self.oracle.objective
        spaces = [
            trial.hyperparameters for trial in self.oracle.trials.values()
        ]
        table = self.results()
        names = dict.fromkeys(name for hp in spaces for name in hp.values)
        columns = [
            name if f"hp/{name}" not in table else f"hp/{name}"
            for name in names
            if not name.startswith("tuner/")
        ]
        return plot_results(table, columns, objective.name, objective.direction)

    def on_trial_begin(self, trial):
        super().on_trial_begin(trial)
        self._seconds[trial.trial_id] = -time.monotonic()

    def on_trial_end(self, trial):
        seconds = self._seconds.get(trial.trial_id, 0)
        if seconds < 0:
            self._seconds[trial.trial_id] = seconds + time.monotonic()
        super().on_trial_end(trial)

    def get_state(self):
        seconds = {k: v for k, v in self._seconds.items() if v >= 0}
        return {**super().get_state(), "seconds": seconds}

    def set_state(self, state):
        super().set_state(state)
        self._seconds = dict(state.get("seconds", {}))

    def reload(self):
        super().reload()
        if self._owns_oracle():
            restore_grid(self.oracle)

    # KerasTuner's own names, which it documents for AutoKeras: the way to give
    # it a model that is built already.
    def _build_hypermodel(self, hp):
        models = self._models.get(id(hp))
        return models.pop(0) if models else super()._build_hypermodel(hp)

    def _why_one_by_one(self, fit_args, fit_kwargs):
        """Returns why no trial can be trained with others, or None."""
        own = next(
            each
            for each in type(self).__mro__
            if each.__module__.startswith(__package__)
        )
        for name in HOOKS:
            if getattr(type(self), name) is not getattr(own, name):
                return f"{type(self).__name__} has its own `{name}`"
        if self.hypermodel is None:
            return "there is no hypermodel"
        if self.distribution_strategy is not None:
            return "there is a `distribution_strategy`"
        if own_fit.has_own_fit(self.hypermodel):
            if not self._trains_as_keras():
                return f"{type(self.hypermodel).__name__} has its own `fit`"
            # Its arguments are known when it has been called.
            return own_fit.why_unknown(self.hypermodel)
        if self._trains_as_keras():
            try:
                self._shared = FitArguments.of(fit_args, fit_kwargs)
                self._shared.own_callbacks()
            except OneByOne as error:
                return str(error)
        return None

    def _read(self, trial, fit_args, fit_kwargs):
        """Returns a trial's `FitArguments`, one for each execution."""
        values = trial.hyperparameters.values
        changes = {}
        if "tuner/epochs" in values:
            changes = {
                "epochs": values["tuner/epochs"],
                "initial_epoch": values["tuner/initial_epoch"],
            }
        read = []
        for execution in range(self.executions_per_trial):
            callbacks = self._deepcopy_callbacks(
                fit_kwargs.get("callbacks") or []
            )
            # Both are private: KerasTuner's own steps with callbacks.
            self._configure_tensorboard_dir(callbacks, trial, execution)
            if own_fit.has_own_fit(self.hypermodel):
                asked = own_fit.fit_call(
                    self.hypermodel,
                    trial.hyperparameters,
                    fit_args,
                    {**fit_kwargs, **changes, "callbacks": callbacks},
                )
                read.append(FitArguments.of(*asked))
            else:
                shared = self._shared or FitArguments.of(fit_args, fit_kwargs)
                options = {**shared.options, **changes}
                read.append(
                    dataclasses.replace(
                        shared, options=options, callbacks=callbacks
                    )
                )
        return read

    def _trains_as_keras(self):
        return type(self).run_together is TrainsTogether.run_together

    def _has_failed_together(self):
        """Whether there is no way to train such trials one by one."""
        own_alone = type(self).run_alone is not TrainsTogether.run_alone
        return not (self._trains_as_keras() or own_alone)

    def _is_verbose(self, fit_kwargs):
        verbose = fit_kwargs.get("verbose", getattr(self.oracle, "verbose", 1))
        return bool(verbose)

    def _ask(self, one_by_one, fit_args, fit_kwargs):
        """Returns pairs of a trial and its models, or what building raised.

        As many as there are now, that fit in memory; none when the search is
        over. One by one, a single trial without models.
        """
        asked, parameters = [], 0
        most = 1 if one_by_one else self.max_members
        names = self._names()
        while len(asked) < most and parameters < MOST_PARAMETERS:
            name = next(names)
            self.pre_create_trial()
            if not self._owns_oracle():
                trial = self.oracle.create_trial(name)
            elif name in self.oracle.ongoing_trials:
                # The search that asked for it was interrupted.
                trial = self.oracle.ongoing_trials[name]
                trial.status = "RUNNING"
            else:
                trial = create_trial(self.oracle, name)
            if trial.status == "RUNNING":
                self.on_trial_begin(trial)
                known = len(trial.hyperparameters.space)
                models = [] if one_by_one else self._build_all(trial)
                asked.append((trial, models))
                if models and not isinstance(models, Exception):
                    self._ask_for_fit(trial, fit_args, fit_kwargs)
                if isinstance(models, list):
                    parameters += sum(
                        each.count_params() for each in models if each.built
                    )
                if len(trial.hyperparameters.space) > known:
                    # The oracle learns of what is new when the trial ends.
                    break
            elif trial.status == "STOPPED" or asked:
                break
            else:
                time.sleep(0.1)
        return asked

    def _names(self):
        """Yields the names to ask under: an oracle gives each one trial.

        Those come first that have a trial, where a search was interrupted.
        """
        mine = f"{self.tuner_id}-"
        ongoing = []
        if self._owns_oracle():
            trials = self.oracle.ongoing_trials
            for name in list(trials):
                if trials[name].trial_id in self.oracle.end_order:
                    # Interrupted just after its end.
                    del trials[name]
            ongoing = [each for each in trials if each.startswith(mine)]
            yield from ongoing
        for number in itertools.count():
            if f"{mine}{number}" not in ongoing:
                yield f"{mine}{number}"

    def _owns_oracle(self):
        """Whether this process has the oracle, not a worker's client of it."""
        return isinstance(self.oracle, keras_tuner.Oracle)

    def _ask_for_fit(self, trial, fit_args, fit_kwargs):
        if self._trains_as_keras():
            try:
                read = self._read(trial, fit_args, fit_kwargs)
            except Exception as error:
                # It is raised again where the trial is run.
                read = error
            self._arguments[trial.trial_id] = read

    def _build_all(self, trial):
        """Returns a trial's models, or the exception that building raised."""
        try:
            return [
                self._build(trial.hyperparameters)
                for _ in range(self.executions_per_trial)
            ]
        except Exception as error:
            return error

    def _build(self, hp):
        """Does what KerasTuner does, but for collecting garbage each time."""
        if self._trains_as_keras():
            # So that outputs without a name are logged under the same ones.
            keras.utils.clear_session(free_memory=False)
        model = self._build_hypermodel(hp)
        if not isinstance(model, keras.Model):
            raise keras_tuner.errors.FatalTypeError(
                "Expected the model-building function, or HyperModel.build() "
                "to return a valid Keras Model instance. "
                f"Received: {model} of type {type(model)}."
            )
        if self.max_model_size and model.built:
            size = sum(
                int(np.prod(each.shape)) for each in model.trainable_weights
            )
            if size > self.max_model_size:
                raise keras_tuner.errors.FailedTrialError(
                    f"Oversized model: {size} parameters. Skip model."
                )
        return model

    def _run_all(self, asked, fit_args, fit_kwargs):
        """Trains trials, those of one architecture together; reports them.

        They are reported in the order they were asked for, as if they had
        been run one after the other, as soon as those before them are. When
        the search is interrupted, those that have been trained are reported.
        """
        buckets, alone = self._buckets(asked)
        self._alone = alone
        if self._is_verbose(fit_kwargs) and (buckets or alone):
            tell(len(asked), buckets, alone)
        for trial, models in asked:
            if isinstance(models, Exception):
                self._results[trial.trial_id] = models
            elif trial.trial_id in alone and self._has_failed_together():
                self._results[trial.trial_id] = alone[trial.trial_id]
            elif trial.trial_id in alone:
                self._models[id(trial.hyperparameters)] = models
        trials = collections.deque(trial for trial, _ in asked)
        # So that each one's models go when it has ended.
        asked.clear()
        workers = self._workers_for(buckets)
        training = self._train(buckets, workers, fit_args, fit_kwargs)
        del buckets

        def report(is_ready):
            while trials and is_ready(trials[0].trial_id):
                trial = trials[0]
                if trial.trial_id in alone:
                    self._seconds[trial.trial_id] = -time.monotonic()
                # It is private, and what KerasTuner's search calls: so a
                # trial that fails here has the status and message that it has
                # there.
                self._try_run_and_update_trial(trial, *fit_args, **fit_kwargs)
                self._models.pop(id(trial.hyperparameters), None)
                self.on_trial_end(trial)
                trials.popleft()
                self._results.pop(trial.trial_id, None)

        try:
            with contextlib.closing(training):
                for failed in training:
                    alone.update(failed)
                    if self._has_failed_together():
                        self._results.update(failed)
                    report(
                        lambda name: (
                            name in self._results
                            # KerasTuner trains it here and now.
                            or (name in alone and workers == 1)
                        )
                    )
            report(lambda name: True)
        except BaseException:
            trials = collections.deque(
                each for each in trials if each.trial_id in self._results
            )
            # It may be that nothing more can be reported.
            with contextlib.suppress(Exception):
                report(lambda name: True)
            raise
        finally:
            for each in (
                self._alone,
                self._arguments,
                self._models,
                self._results,
                self._seeds,
            ):
                each.clear()

    def _buckets(self, asked):
        """Returns the trials to train together, and why the others are not."""
        buckets, alone = group(
            [
                (trial, models)
                for trial, models in asked
                if models and not isinstance(models, Exception)
            ],
            self._arguments,
        )
        if not self._trains_as_keras():
            return buckets, alone
        kept, few = [], {}
        for bucket in buckets:
            (first, *_) = self._arguments[bucket[0][0].trial_id]
            members = len(bucket) * self.executions_per_trial
            if backend_loops().pays_off(members, first.steps):
                kept.append(bucket)
                continue
            kept.extend([each] for each in bucket)
            count = "no other has" if len(bucket) == 1 else "only two have"
            reason = OneByOne(f"{count} its architecture")
            few.update({trial.trial_id: reason for trial, _ in bucket})
        if self._workers_for(kept) > 1:
            return kept, alone
        alone.update(few)
        kept = [each for each in kept if each[0][0].trial_id not in few]
        return kept, alone

    def _workers_for(self, buckets):
        """Returns how many to train at a time."""
        if not self._trains_as_keras():
            return 1
        for bucket in buckets:
            (first, *_) = self._arguments[bucket[0][0].trial_id]
            if first.has_stream:
                # Nobody knows whether it can be read twice at a time.
                return 1
        return max(1, min(self.workers, len(buckets)))

    def _train(self, buckets, workers, fit_args, fit_kwargs):
        """Trains buckets side by side; yields of each what is left, and why."""
        if workers > 1:
            for (first, _), *_ in buckets:
                # Threads would draw from NumPy's state in any order.
                seed = np.random.randint(2**32 - 1, dtype="uint32")
                self._seeds[first.trial_id] = seed
        # Threads of an earlier search may still look at theirs.
        self._interrupted = threading.Event()
        return side_by_side(
            lambda bucket: self._run_bucket(bucket, fit_args, fit_kwargs),
            buckets,
            workers,
            self._interrupted,
        )

    def _run_bucket(self, bucket, fit_args, fit_kwargs):
        """Trains trials together; returns those that could not be, and why."""
        trials, models = zip(*bucket, strict=True)
        start = time.monotonic()
        try:
            results = self.run_together(
                list(trials), list(models), fit_args, fit_kwargs
            )
        except keras_tuner.errors.FatalError:
            raise
        except Exception as error:
            if self._interrupted.is_set():
                raise
            is_too_much = backend_loops().is_out_of_memory(error)
            if is_too_much or not self._has_failed_together():
                # Its traceback holds on to the memory.
                error.__traceback__ = None
            if len(bucket) > 1 and is_too_much:
                half = len(bucket) // 2
                warn_out_of_memory(len(bucket), half)
                self.max_members = min(self.max_members, half)
                return {
                    **self._run_bucket(bucket[:half], fit_args, fit_kwargs),
                    **self._run_bucket(bucket[half:], fit_args, fit_kwargs),
                }
            for some in models:
                # They may have been trained in part: to be built anew.
                some.clear()
            return self._not_together(trials, error, fit_kwargs)
        seconds = (time.monotonic() - start) / len(trials)
        for trial, result in zip(trials, results, strict=True):
            self._results[trial.trial_id] = result
            self._seconds[trial.trial_id] = seconds
        return {}

    def _not_together(self, trials, error, fit_kwargs):
        names = [trial.trial_id for trial in trials]
        if self._is_verbose(fit_kwargs):
            print(
                f"Trials {', '.join(names)} are trained one by one: "
                f"{type(error).__name__}: {first_line(error)}"
            )
        return dict.fromkeys(names, error)

    def _hooks(self, trial):
        """Returns what calls the hooks of a subclass for epochs."""
        if all(
            getattr(type(self), name) is getattr(keras_tuner.Tuner, name)
            for name in ("on_epoch_begin", "on_epoch_end")
        ):
            return []
        return [EpochHooks(self, trial)]

    def _save(self, trial, models, weights):
        """Writes what `load_model` reads, where it does."""
        directory = self.get_trial_dir(trial.trial_id)
        with open(os.path.join(directory, BUILD_CONFIG), "w") as file:
            json.dump(models[0].get_build_config(), file)
        if weights is not None:
            models[0].set_weights(weights)
            models[0].save_weights(os.path.join(directory, CHECKPOINT))
