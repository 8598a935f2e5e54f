"""Callbacks of a population: a decaying rate, and the best weights."""

import math

import keras
import numpy as np
from keras import ops


def cosine(epoch, epochs):
    """Returns the share of a rate that is left in the middle of an epoch."""
    return (1 + math.cos(math.pi * (epoch + 0.5) / epochs)) / 2


class CosineDecay(keras.callbacks.Callback):
    """Lets every member's learning rate fall to zero along a cosine.

    ```
    rate_i(t) = rate_i(0) (1 + cos(π t / epochs)) / 2
    ```

    The rate is constant within an epoch, at its value in the middle of it.

    Args:
        epochs: Positive integer, the number of epochs after which it is zero.
    """

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_train_begin(self, logs=None):
        self._initial = self.model.learning_rates

    def on_epoch_begin(self, epoch, logs=None):
        share = cosine(epoch, self.epochs)
        self.model.learning_rates = self._initial * share


class RestoreBest(keras.callbacks.Callback):
    """Gives every member back the weights of its best epoch.

    The weights of the epoch in which a member reaches its target are its best.
    Copies stay on the device, and are made where a member got better.

    Args:
        monitor: Name of a logged value, the lower the better.
    """

    def __init__(self, monitor="val_loss"):
        super().__init__()
        self.monitor = monitor

    def on_train_begin(self, logs=None):
        self._lowest = np.full(self.model.num_members, np.inf)
        self._reached = self.model.reached.copy()
        self._best = [ops.copy(each.value) for each in self._variables()]

    def on_epoch_end(self, epoch, logs=None):
        values = np.asarray(logs[self.monitor])
        with np.errstate(invalid="ignore"):
            better = values < self._lowest
        better &= ~self._reached
        better |= self.model.reached & ~self._reached
        self._reached = self.model.reached.copy()
        self._lowest = np.where(better, values, self._lowest)
        if not better.any():
            return
        self._best = [
            ops.where(
                better.reshape(-1, *[1] * (len(best.shape) - 1)),
                variable.value,
                best,
            )
            for variable, best in zip(
                self._variables(), self._best, strict=True
            )
        ]

    def on_train_end(self, logs=None):
        for variable, best in zip(self._variables(), self._best, strict=True):
            variable.assign(best)

    def _variables(self):
        """The members' weights, without the optimizers' state."""
        return self.model.member_variables
