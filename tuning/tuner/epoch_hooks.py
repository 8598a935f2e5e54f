"""The hooks of a tuner's subclass, called for members of a population."""

import keras


class EpochHooks(keras.callbacks.Callback):
    """Calls the methods that KerasTuner calls for each epoch of a trial."""

    def __init__(self, tuner, trial):
        super().__init__()
        self._tuner = tuner
        self._trial = trial

    def on_epoch_begin(self, epoch, logs=None):
        self._tuner.on_epoch_begin(self._trial, self.model, epoch, logs=logs)

    def on_epoch_end(self, epoch, logs=None):
        self._tuner.on_epoch_end(self._trial, self.model, epoch, logs=logs)
