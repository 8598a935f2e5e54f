"""The training of a job's networks from scratch, each at its best rate."""

import functools

import keras

from tuning.population.callbacks import RestoreBest
from tuning.population.loops import backend_loops
from tuning.population.population import Population
from tuning.population.population import warn_out_of_memory
from tuning.study.one_by_one import tell_one_by_one
from tuning.study.one_by_one import train_one_by_one
from tuning.study.search import epochs_and_steps
from tuning.study.search import fit_options
from tuning.study.trained import Trained


def train_together(job, model, cells, members, send):
    """Trains networks of one architecture as populations, and scores them.

    Where that cannot be done, they are trained one by one.

    Args:
        job: The `Job` they belong to.
        model: Its `TaskModel`.
        cells: List of the cells.
        members: List of their compiled models.
        send: As for `run_job`.

    Returns:
        List of a `Trained` for each.
    """
    try:
        return _train_population(job, model, cells, members, send)
    except Exception as error:
        # Its traceback holds on to the memory.
        error.__traceback__ = None
        if len(cells) == 1 or not backend_loops().is_out_of_memory(error):
            tell_one_by_one(job, error, send)
            return train_one_by_one(job, model, cells, members, send)
    half = len(cells) // 2
    warn_out_of_memory(len(cells), half)
    return [
        trained
        for part in (slice(half), slice(half, None))
        for trained in train_together(
            job, model, cells[part], members[part], send
        )
    ]


def _train_population(job, model, cells, members, send):
    protocol = job.protocol
    population = Population(members)
    labels = [model.tasks.index(cell.task) for cell in cells]
    reported = 0

    def report(epoch, logs):
        nonlocal reported
        taken = int(population.steps.sum())
        send("steps", taken - reported)
        reported = taken

    options = fit_options(job, protocol.train_epochs)
    callbacks = [
        keras.callbacks.LambdaCallback(on_epoch_end=report),
        *options.pop("callbacks", ()),
    ]
    if protocol.is_thorough:
        callbacks.append(RestoreBest())
    population.fit(
        model.x("train"),
        model.labels("train"),
        label_indices=labels,
        batch_size=protocol.batch_size,
        validation_data=model.records("validation"),
        # Tasks that are trained together have one goal.
        **model.problems[0].goal(protocol.target),
        callbacks=callbacks,
        **epochs_and_steps(protocol.train_epochs, protocol.train_steps),
        **options,
    )
    # Members that stopped early are done with the steps they were given.
    send("steps", protocol.train_steps * len(cells) - reported)
    scores = population.evaluate(*model.records("test"), label_indices=labels)
    return [
        Trained(
            functools.partial(population.member_weights, i),
            int(population.steps[i]),
            {name: float(values[i]) for name, values in scores.items()},
        )
        for i in range(len(cells))
    ]
