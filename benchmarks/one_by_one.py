"""The same search by stock KerasTuner and Keras, one trial after the other.

The reference that searching and training together are compared with.
"""

import keras_tuner
import numpy as np

from tuning.population.batches import Batches
from tuning.study import job as job_module
from tuning.study.one_by_one import records_of
from tuning.study.one_by_one import train_one_by_one
from tuning.study.search import WORST
from tuning.study.search import Reporting


def run_job(job, send):
    """Does what `tuning.study.job.run_job` does."""
    job_module.run_job(job, send, OneByOne, train_one_by_one)


class OneByOne(Reporting, keras_tuner.Tuner):
    """The stock tuner, given what it needs to do the same."""

    def run_trial(self, trial, x, y, *, steps_per_epoch, **kwargs):
        label = self.hypermodel.label(trial.hyperparameters)
        batches = Batches(x, y[label], kwargs["batch_size"])
        x, (y,) = batches.next(steps_per_epoch)
        x_val, y_val = kwargs.pop("validation_data")
        histories = super().run_trial(
            trial,
            [records_of(each) for each in x],
            records_of(y),
            shuffle=False,
            validation_data=(x_val, y_val[label]),
            **kwargs,
        )
        return {
            name: values[-1] if np.isfinite(values[-1]) else WORST
            for name, values in histories[0].history.items()
        }
