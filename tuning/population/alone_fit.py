"""The only model of its architecture, trained by Keras's own `fit`."""

import math

import keras
import numpy as np

from tuning.population.feeds import check


def fit_alone(
    model,
    train,
    validation,
    *,
    batch_size,
    validation_batch_size,
    shuffle,
    rng,
    callbacks,
    on_epoch_end,
    interrupted=None,
    **options,
):
    """Trains a single model, as `fit_as_keras` trains several.

    Keras draws the order of arrays from NumPy's global state, which threads
    share. Here it comes from `rng`, so it is the same for any number of them.

    Args:
        model: A built and compiled Keras model.
        **options: `epochs`, `initial_epoch` and `validation_freq`.
        Others: As for `fit_as_keras`.

    Returns:
        A `keras.callbacks.History`.
    """

    def report(epoch, logs):
        on_epoch_end(epoch, {0: dict(logs)}, lambda index: model.get_weights())

    if on_epoch_end is not None:
        # After callbacks that restore weights, or add to the logs.
        callbacks = [
            *callbacks,
            keras.callbacks.LambdaCallback(on_epoch_end=report),
        ]
    if interrupted is not None:

        def look(batch, logs):
            check(interrupted)

        callbacks = [
            *callbacks,
            keras.callbacks.LambdaCallback(on_train_batch_begin=look),
        ]
    return model.fit(
        _Shuffled(train, batch_size, rng if shuffle else None),
        validation_data=validation,
        validation_batch_size=validation_batch_size or batch_size,
        shuffle=False,
        callbacks=callbacks,
        verbose=0,
        **options,
    )


class _Shuffled(keras.utils.PyDataset):
    """Batches of arrays, in another order in each epoch.

    Args:
        data: Tuple `(x, y, sample_weight)` of nested arrays, the last or None.
        batch_size: Positive integer.
        rng: The generator of orders, or None for the order of the records.
    """

    def __init__(self, data, batch_size, rng):
        super().__init__()
        self._data = data
        self._size = batch_size
        self._rng = rng
        self._count = len(keras.tree.flatten(data[0])[0])
        self._order = np.arange(self._count)

    def __len__(self):
        return math.ceil(self._count / self._size)

    def on_epoch_begin(self):
        if self._rng is not None:
            self._order = self._rng.permutation(self._count)

    def __getitem__(self, index):
        rows = self._order[index * self._size : (index + 1) * self._size]
        return tuple(
            keras.tree.map_structure(lambda each: each[rows], part)
            for part in self._data
            if part is not None
        )
