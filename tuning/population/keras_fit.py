"""Many members trained as Keras's own `fit` trains each."""

import math

import keras
import numpy as np
from keras import ops

from tuning.population.population import STEPS_PER_CALL
from tuning.population.population import Population

# Callbacks that neither read weights nor set them.
WEIGHTLESS = (
    keras.callbacks.CSVLogger,
    keras.callbacks.EarlyStopping,
    keras.callbacks.History,
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
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
    shuffle=True,
    callbacks=None,
    on_epoch_end=None,
):
    """Trains models of one architecture together; returns their histories.

    Each history is what `model.fit` would give on the same batches, to
    rounding. Models are built already; their weights and optimizers change
    where their callbacks need to see it alone.

    Args:
        models: List of built and compiled Keras models.
        train: Tuple `(x, y, sample_weight)` of nested NumPy arrays, the last
            one or None.
        validation: The same, or None.
        batch_size: Positive integer. The last batch of an epoch may be
            smaller.
        validation_batch_size: Positive integer. Default: `batch_size`.
        epochs, initial_epoch, validation_freq: As for `keras.Model.fit`.
        shuffle: Boolean, whether each epoch has an order of its own: the same
            for all models, from NumPy's global state.
        callbacks: List of a list of Keras callbacks per model, for each its
            own. Their methods for batches are not called.
        on_epoch_end: Called as `on_epoch_end(epoch, logs, weights)` after
            each epoch, with a dictionary of the logs of every model that was
            still trained, by its index, and a function of such an index that
            gives its weights, as arrays.

    Returns:
        A list of `keras.callbacks.History`.
    """
    population = Population(models)
    population.build_metrics(*(_first(batch_size, part) for part in train))
    count = len(keras.tree.flatten(train[0])[0])
    batches = _Batches(train, batch_size)
    seen = validation and _Batches(
        validation, validation_batch_size or batch_size
    )
    histories = [keras.callbacks.History() for _ in models]
    callbacks = callbacks or [[] for _ in models]
    needs_weights = any(_needs_weights(c) for own in callbacks for c in own)
    lists = [
        keras.callbacks.CallbackList(
            [*own, history],
            model=model,
            epochs=epochs,
            steps=math.ceil(count / batch_size),
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
        order = np.random.permutation(count) if shuffle else None
        scores = population.train_batches(batches.cut(order), active)
        for i in trained:
            logs[i] = {name: _scalar(scores[name][i]) for name in scores}
        if validation and _is_due(epoch, validation_freq):
            for i in trained:
                lists[i].on_test_begin()
            scores = population.evaluate_batches(seen.cut())
            for i in trained:
                mine = {name: _scalar(scores[name][i]) for name in scores}
                lists[i].on_test_end(mine)
                logs[i].update({f"val_{k}": v for k, v in mine.items()})
        members.write(trained)
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
                for variable, value in zip(variables, values, strict=True):
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
                    for variable, value in zip(variables, values, strict=True):
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


class _Batches:
    """Cuts arrays into the batches of an epoch, many in one piece.

    Args:
        data: Tuple `(x, y, sample_weight)`.
        batch_size: Positive integer.
    """

    def __init__(self, data, batch_size):
        names = ("x", "y", "sample_weight")
        self._data = {
            name: part
            for name, part in zip(names, data, strict=True)
            if part is not None
        }
        self._size = batch_size
        self._count = len(keras.tree.flatten(self._data["x"])[0])

    def cut(self, order=None):
        """Yields pairs as a compiled fold takes them.

        Args:
            order: Array of all indices, or None for the order they have.
        """
        full, rest = divmod(self._count, self._size)
        steps = _steps_per_call(full)
        start = 0
        while full:
            now = min(steps, full)
            yield self._piece(order, start, now, self._size)
            start += now * self._size
            full -= now
        if rest:
            yield self._piece(order, start, 1, rest)

    def _piece(self, order, start, steps, size):
        index = slice(start, start + steps * size)
        if order is not None:
            index = order[index]

        def cut(array):
            # PyTorch warns of arrays that it might write to, but may not.
            piece = np.require(array[index], requirements=["C", "W"])
            return piece.reshape(steps, size, *array.shape[1:])

        # The labels are the same for all members, so they need no choice.
        nothing = np.zeros((steps, 1), "float32")
        return keras.tree.map_structure(cut, self._data), [nothing]


def _steps_per_call(steps):
    """Returns a number of steps that divides all, if one near the most does.

    Each other number is one more program to compile.
    """
    calls = math.ceil(steps / STEPS_PER_CALL)
    for more in range(calls, 4 * calls):
        if steps % more == 0:
            return steps // more
    return math.ceil(steps / calls) if calls else 1


def _first(count, part):
    return keras.tree.map_structure(
        lambda each: None if each is None else each[:count], part
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
