"""Networks trained one by one: those that cannot be members of a population.

They have their own `train_step`, for example, or an optimizer of their own.
Keras's `fit` trains them on the batches that a population would get.
"""

import math

import keras
import numpy as np

from tuning.population.batches import Batches
from tuning.population.callbacks import cosine
from tuning.population.population import STEPS_PER_CALL
from tuning.study.trained import Trained
from tuning.tuner.telling import first_line

# Records that are evaluated at a time.
BATCH = 1000


def tell_one_by_one(job, reason, send):
    """Sends a line that says which network is trained one by one, and why.

    Args:
        job: A `Job`.
        reason: The exception because of which it cannot be otherwise.
        send: As for `run_job`.
    """
    network = job.cells[0].network
    send("warning", f"{network} is trained one by one: {first_line(reason)}")


def search_one_by_one(job, model, label, member):
    """Trains a network as a trial of the search does.

    Args:
        job: A `Job`.
        model: Its `TaskModel`.
        label: Index of the labels it learns.
        member: The compiled network.

    Returns:
        A dictionary of the names of its scores, each with a value per epoch.
    """
    protocol = job.protocol
    logs = [
        _scores(model, label, member, "validation")
        for _ in _epochs(
            job,
            model,
            label,
            member,
            protocol.search_steps,
            protocol.search_epochs,
        )
    ]
    return {f"val_{name}": [each[name] for each in logs] for name in logs[0]}


def train_one_by_one(job, model, cells, members, send):
    """Does what `tuning.study.train.train_together` does."""
    return [
        _train(job, model, model.tasks.index(cell.task), member, send)
        for cell, member in zip(cells, members, strict=True)
    ]


def _train(job, model, label, member, send):
    protocol = job.protocol
    goal = model.problems[label].goal(protocol.target)
    lowest, best = np.inf, None
    for _ in _epochs(
        job, model, label, member, protocol.train_steps, protocol.train_epochs
    ):
        scores = _scores(model, label, member, "validation")
        reached = _is_reached(goal, scores)
        if protocol.is_thorough and (reached or scores["loss"] < lowest):
            lowest, best = scores["loss"], member.get_weights()
        if reached or not np.isfinite(scores["loss"]):
            break
    if best is not None:
        member.set_weights(best)
    send("steps", protocol.train_steps)
    return Trained(
        member.get_weights,
        int(member.optimizer.iterations),
        _scores(model, label, member, "test"),
    )


def _epochs(job, model, label, member, steps, epochs):
    """Trains a network; yields after each epoch."""
    size = job.protocol.batch_size
    # The cells of a thorough job have one seed.
    seed = job.cells[0].seed if job.protocol.is_thorough else 0
    # A schedule has no rate to be set, and decays by itself.
    decays = job.protocol.is_thorough and any(
        each.name == "learning_rate" for each in member.optimizer.variables
    )
    batches = Batches(
        model.x("train"), model.labels("train")[label], size, seed=seed
    )
    rate = float(member.optimizer.learning_rate)
    per_epoch = math.ceil(steps / epochs)
    for epoch in range(epochs):
        if decays:
            member.optimizer.learning_rate = rate * cosine(epoch, epochs)
        left = per_epoch
        while left:
            now = min(left, batches.steps_at_once(STEPS_PER_CALL))
            x, (y,) = batches.next(now)
            member.fit(
                keras.tree.map_structure(records_of, x),
                records_of(y),
                batch_size=size,
                shuffle=False,
                verbose=0,
            )
            left -= now
        yield


def records_of(batches):
    """Returns the records of batches, in one row."""
    return batches.reshape(-1, *batches.shape[2:])


def _scores(model, label, member, split):
    x, y = model.records(split)
    return member.evaluate(x, y[label], BATCH, verbose=0, return_dict=True)


def _is_reached(goal, scores):
    value = scores[goal["monitor"].removeprefix("val_")]
    if goal["mode"] == "max":
        return value >= goal["target"]
    return value <= goal["target"]
