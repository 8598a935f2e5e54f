"""The same search by stock KerasTuner and Keras, one trial after the other.

The reference that searching and training together are compared with.
"""

import keras_tuner
import numpy as np

from tuning.population.batches import Batches
from tuning.study import job as job_module
from tuning.study.search import WORST
from tuning.study.search import Reporting
from tuning.study.train import Trained


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
            [_records_of(each) for each in x],
            _records_of(y),
            shuffle=False,
            validation_data=(x_val, y_val[label]),
            **kwargs,
        )
        return {
            name: values[-1] if np.isfinite(values[-1]) else WORST
            for name, values in histories[0].history.items()
        }


def train_one_by_one(job, model, cells, members, send):
    """Does what `tuning.study.train.train_together` does."""
    return [
        _train(job, model, model.tasks.index(cell.task), member, send)
        for cell, member in zip(cells, members, strict=True)
    ]


def _train(job, model, label, member, send):
    protocol = job.protocol
    goal = model.problems[label].goal(protocol.target)
    batches = Batches(
        model.x("train"), model.labels("train")[label], protocol.batch_size
    )

    def scores(split):
        x, y = model.records(split)
        return member.evaluate(x, y[label], 1000, verbose=0, return_dict=True)

    for _ in range(protocol.train_epochs):
        x, (y,) = batches.next(protocol.check_steps)
        member.fit(
            [_records_of(each) for each in x],
            _records_of(y),
            batch_size=protocol.batch_size,
            shuffle=False,
            verbose=0,
        )
        if _is_reached(goal, scores("validation")):
            break
    send("steps", protocol.train_steps)
    return Trained(
        member.get_weights, int(member.optimizer.iterations), scores("test")
    )


def _records_of(batches):
    return batches.reshape(-1, *batches.shape[2:])


def _is_reached(goal, logs):
    value = logs[goal["monitor"].removeprefix("val_")]
    if goal["mode"] == "max":
        return value >= goal["target"]
    return value <= goal["target"]
