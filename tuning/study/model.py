"""A network and the problems that it is trained on, as one hypermodel."""

import keras
import keras_tuner

from tuning.networks.registry import find_network
from tuning.problems.registry import open_problem
from tuning.study.cells import choices_of


class TaskModel(keras_tuner.HyperModel):
    """A network whose task is one of its hyperparameters.

    Args:
        job: A `Job`.
    """

    def __init__(self, job):
        super().__init__()
        self.tasks = sorted({cell.task for cell in job.cells})
        self.problems = [
            open_problem(
                task, job.cells[0].inputs, job.data, job.protocol.tolerance
            )
            for task in self.tasks
        ]
        self.network = find_network(job.cells[0].network)(self.problems[0])

    def build(self, hp):
        return self.network.build(hp)

    def label(self, hp):
        """Returns which of the label functions a trial learns."""
        return self.tasks.index(hp.get("task"))

    def x(self, split):
        """Returns the inputs, which all tasks share."""
        return self.problems[0].x(split)

    def labels(self, split):
        """Returns the labels, in the order that `label` refers to."""
        return [problem.label(split) for problem in self.problems]

    def records(self, split):
        """Returns all inputs of a split, and the labels, as arrays."""
        x = keras.tree.map_structure(lambda each: each[:], self.x(split))
        inputs = x if isinstance(x, list) else [x]
        return x, [
            label(*inputs) if callable(label) else label
            for label in self.labels(split)
        ]


def hyperparameters(**values):
    """Returns hyperparameters with fixed values, or lists to choose from."""
    hp = keras_tuner.HyperParameters()
    for name, value in values.items():
        if isinstance(value, (list, tuple)):
            hp.Choice(name, list(value))
        else:
            hp.Fixed(name, value)
    return hp


def chosen(cell, hp):
    """Returns the choices beside the learning rate, in words."""
    return " ".join(f"{name}={hp.get(name)}" for name in choices_of(cell))
