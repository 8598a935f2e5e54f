"""A problem to learn: records, labels, and how a network is judged.

Keras is imported where a network is compiled: whoever asks for names alone
needs none.
"""

import dataclasses

import numpy as np

from tasks import baseline
from tuning.problems.data import DataSettings


@dataclasses.dataclass(frozen=True)
class Problem:
    """A task on inputs. Each data set is a subclass.

    To add one, define `inputs_of`, `input_shapes`, `units`, `x`, `label` and
    `constant`, and add it to `tuning.problems.registry.KINDS` with the names of
    its tasks in `task_names`; or name it on the command line,
    `--task package.module:Name`.

    Attributes:
        task: Name of the task.
        inputs: Name of the inputs' distribution.
        data: The `tuning.problems.data.DataSettings`.
        tolerance: Largest absolute error that counts as right, of labels
            whose standard deviation is about 1.
        input_rank: Rank of each input without the batch: 1 for vectors, 3
            for images.
        loss: The loss, as `compile` takes it.
    """

    task: str
    inputs: str
    data: DataSettings
    tolerance: float

    input_rank = 1
    loss = "mse"

    @classmethod
    def task_names(cls):
        """Returns the names of its tasks, in the order to show them in."""
        return ()

    @classmethod
    def groups(cls):
        """Returns the tasks that one name stands for, as lists by name."""
        return {}

    @classmethod
    def has(cls, task):
        """Whether a task is one of its own."""
        return task in cls.task_names()

    @classmethod
    def describe(cls):
        """Returns the lines that say what its tasks are."""
        return [", ".join(cls.task_names())]

    @classmethod
    def inputs_of(cls, task):
        """Returns the names of the inputs that a task can be learned on."""
        raise NotImplementedError

    @classmethod
    def default_inputs(cls, task):
        """Returns the names of those that are used when none are named."""
        return cls.inputs_of(task)

    @classmethod
    def check_inputs(cls, task, inputs):
        """Raises a `ValueError` unless a task can be learned on inputs."""
        mine = cls.inputs_of(task)
        if inputs not in mine:
            raise ValueError(
                f"The inputs of {task} are {', '.join(mine)}. Received: "
                f"inputs={inputs}"
            )

    @property
    def together(self):
        """What problems that are trained together have in common.

        Those with an equal value have the same records, labels of the same
        width, and one goal.
        """
        return self.task, self.inputs

    @property
    def input_shapes(self):
        """List of the shapes of the network's inputs, without the batch."""
        raise NotImplementedError

    @property
    def units(self):
        """The width of the network's output."""
        raise NotImplementedError

    def x(self, split):
        """Returns the inputs of a network: an array, or a list of them.

        Args:
            split: `"train"`, `"validation"` or `"test"`.
        """
        raise NotImplementedError

    def label(self, split):
        """Returns the labels of a split: an array, or a function of `x`."""
        raise NotImplementedError

    def records(self, split):
        """Returns how many records a split has; they are prepared if not."""
        x = self.x(split)
        return len(x[0] if isinstance(x, list) else x)

    def metrics(self):
        """Returns the metrics to compile with; one is named `accuracy`."""
        from kmul.metrics import WithinTolerance

        return [WithinTolerance(self.tolerance, name="accuracy")]

    def goal(self, target):
        """Returns when training may stop, as `Population.fit` takes it.

        Args:
            target: The accuracy that is aimed at.
        """
        return {"monitor": "val_accuracy", "target": target, "mode": "max"}

    def constant(self):
        """Judges the constant that is best for the training labels.

        Returns:
            How often it is right on the test labels, and whether the problem
            is trivial: it is right on 99 % of the training labels' elements.
        """
        raise NotImplementedError

    def constant_loss(self):
        """Returns the test loss of the constant with the least training loss.

        None where it is not known.
        """
        return None

    def succeeded(self, scores):
        """Whether test scores count as success; None where none do.

        Args:
            scores: Dictionary of the loss and the metrics.
        """
        return None


def constant_squared_error(known, label):
    """Returns the squared error of the mean of `known` as a constant."""
    return float(np.mean((label - known.mean(axis=0, dtype="float64")) ** 2))


def judge_constant(known, label, tolerance):
    """Judges the constant, one per element of a label, best for `known`.

    Args:
        known: The first training labels.
        label: The test labels.
        tolerance: Largest absolute error that counts as right.

    Returns:
        As `Problem.constant`.
    """
    constant = baseline.best_constant(known, tolerance)
    share = baseline.constant_accuracy(constant, known, tolerance)
    accuracy = baseline.constant_accuracy(constant, label, tolerance)
    return accuracy, share >= baseline.TRIVIAL_SHARE
