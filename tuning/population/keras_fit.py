"""Many members trained as Keras's own `fit` trains each."""

import keras
import numpy as np
from keras import ops

from tuning.population.alone_fit import fit_alone
from tuning.population.feeds import Stream
from tuning.population.feeds import feed
from tuning.population.feeds import until
from tuning.population.population import Population

# Callbacks that neither read weights nor set them.
WEIGHTLESS = (
    keras.callbacks.CSVLogger,
    keras.callbacks.EarlyStopping,
    keras.callbacks.History,
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
    keras.callbacks.TerminateOnNaN,
)


def fit_as_keras(
    models,
    train,
    validation=None,
    batch_size=32,
    validation_batch_size=None,
    epochs=1,
    initial_epoch=0,
    validation_freq=1,
    steps_per_epoch=None,
    validation_steps=None,
    shuffle=True,
    rng=None,
    callbacks=None,
    on_epoch_end=None,
    interrupted=None,
):
    """Trains models of one architecture together; returns their histories.

    Each history is what `model.fit` would give on the same batches, to
    rounding. Models are built already; their weights and optimizers change
    where their callbacks need to see it alone.

    Args:
        models: List of built and compiled Keras models.
        train: Tuple `(x, y, sample_weight)` of nested NumPy arrays, the last
            one or None; or a `Stream`, which is read once for all models.
        validation: The same, or None.
        batch_size: Positive integer. The last batch of an epoch may be
            smaller.
        validation_batch_size: Positive integer. Default: `batch_size`.
        epochs, initial_epoch, validation_freq, steps_per_epoch,
            validation_steps: As for `keras.Model.fit`.
        shuffle: Boolean, whether each epoch has an order of its own: the same
            for all models.
        rng: A NumPy generator that the orders are drawn from. Default: NumPy's
            global state.
        callbacks: List of a list of Keras callbacks per model, for each its
            own. Their methods for batches are not called, but for
            `TerminateOnNaN`, which sees the last batch of an epoch, with the
            epoch's loss.
        on_epoch_end: Called as `on_epoch_end(epoch, logs, weights)` after
            each epoch, with a dictionary of the logs of every model that was
            still trained, by its index, and a function of such an index that
            gives its weights, as arrays.
        interrupted: A `threading.Event`. Once it is set, training ends with
            an exception.

    Returns:
        A list of `keras.callbacks.History`.

    Raises:
        RuntimeError: Training was interrupted.
    """
    rng = rng or np.random
    callbacks = callbacks or [[] for _ in models]
    is_plain = not (steps_per_epoch or validation_steps) and not any(
        isinstance(each, Stream) for each in (train, validation)
    )
    if len(models) == 1 and is_plain:
        history = fit_alone(
            *models,
            train,
            validation,
            batch_size=batch_size,
            validation_batch_size=validation_batch_size,
            epochs=epochs,
            initial_epoch=initial_epoch,
            validation_freq=validation_freq,
            shuffle=shuffle,
            rng=rng,
            callbacks=callbacks[0],
            on_epoch_end=on_epoch_end,
            interrupted=interrupted,
        )
        return [history]
    population = Population(models)
    batches = feed(train, batch_size, steps_per_epoch, rng if shuffle else None)
    population.build_metrics(*batches.example())
    histories = [keras.callbacks.History() for _ in models]
    needs_weights = any(_needs_weights(c) for own in callbacks for c in own)
    lists = [
        keras.callbacks.CallbackList(
            [*own, history],
            model=model,
            epochs=epochs,
            steps=len(batches),
            verbose=0,
        )
        for model, own, history in zip(
            models, callbacks, histories, strict=True
        )
    ]
    members = _Members(population, models, needs_weights)
    active = np.ones(len(models), bool)
    logs = [{} for _ in models]
    for i, each in enumerate(lists):
        models[i].stop_training = False
        each.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        trained = np.flatnonzero(active)
        for i in trained:
            lists[i].on_epoch_begin(epoch)
        members.read(trained)
        scores = population.train_batches(
            until(interrupted, batches.epoch()), active
        )
        # Callbacks look at the optimizer's steps when they are told of tests.
        members.write(trained)
        for i in trained:
            logs[i] = {name: _scalar(scores[name][i]) for name in scores}
            for callback in callbacks[i]:
                if isinstance(callback, keras.callbacks.TerminateOnNaN):
                    callback.on_train_batch_end(len(batches) - 1, logs[i])
        if validation and _is_due(epoch, validation_freq):
            for i in trained:
                lists[i].on_test_begin()
            # Anew each time, also where `validation_steps` ends it early.
            seen = feed(
                validation,
                validation_batch_size or batch_size,
                validation_steps,
                None,
            )
            scores = population.evaluate_batches(
                until(interrupted, seen.epoch())
            )
            for i in trained:
                mine = {name: _scalar(scores[name][i]) for name in scores}
                lists[i].on_test_end(mine)
                logs[i].update({f"val_{k}": v for k, v in mine.items()})
        for i in trained:
            lists[i].on_epoch_end(epoch, logs[i])
        members.read(trained)
        if on_epoch_end is not None:
            on_epoch_end(
                epoch, {i: logs[i] for i in trained}, members.weights()
            )
        active[[i for i in trained if models[i].stop_training]] = False
        if not active.any():
            break
    for each, log in zip(lists, logs, strict=True):
        each.on_train_end(log)
    return histories


class _Members:
    """Keeps models in step with the population that stands for them."""

    def __init__(self, population, models, needs_weights):
        self._population = population
        self._models = models
        self._needs_weights = needs_weights
        self._rates = np.array(population.learning_rates)

    def write(self, indices):
        """Gives the models their learned weights, if a callback may look."""
        if not self._needs_weights:
            return
        state = [
            [ops.convert_to_numpy(each) for each in some]
            for some in self._population.state()
        ]
        for i in indices:
            for variables, values in zip(
                _variables(self._models[i]), state, strict=True
            ):
                # A population's optimizer may have one more: a first rate.
                for variable, value in zip(variables, values, strict=False):
                    variable.assign(value[i])

    def read(self, indices):
        """Lets the population have what callbacks have set."""
        if self._needs_weights:
            state = [
                [np.array(ops.convert_to_numpy(each)) for each in some]
                for some in self._population.state()
            ]
            for i in indices:
                for variables, values in zip(
                    _variables(self._models[i]), state, strict=True
                ):
                    for variable, value in zip(variables, values, strict=False):
                        value[i] = ops.convert_to_numpy(variable)
            self._population.assign_state(state)
            return
        if len(self._rates):
            rates = self._rates.copy()
            for i in indices:
                rates[i] = float(self._models[i].optimizer.learning_rate)
            if (rates != self._rates).any():
                self._rates = rates
                self._population.learning_rates = rates

    def weights(self):
        """Returns a function that gives a member's weights as they are now."""
        arrays = None

        def weights(index):
            nonlocal arrays
            if arrays is None:
                arrays = self._population.all_weights()
            return [np.array(each[index]) for each in arrays]

        return weights


def _variables(model):
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
    )


def _scalar(value):
    return value.item() if np.ndim(value) == 0 else value


def _is_due(epoch, validation_freq):
    if isinstance(validation_freq, int):
        return (epoch + 1) % validation_freq == 0
    return epoch + 1 in validation_freq


def _needs_weights(callback):
    if isinstance(callback, keras.callbacks.EarlyStopping):
        return callback.restore_best_weights
    return type(callback) not in WEIGHTLESS
