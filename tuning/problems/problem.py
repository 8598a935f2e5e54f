"""What a network is to learn: records, labels, and how it is judged."""

import dataclasses
import difflib
import functools

import keras
import numpy as np
import tensorflow_datasets as tfds

import tasks
from kmul.metrics import WithinTolerance
from tasks import arithmetic_ops
from tasks import images
from tasks import placed_digits
from tuning.problems.data import DataSettings
from tuning.problems.data import open_inputs

# The share of the error of success at which training in arithmetic stops. Of
# a hundredth, a dense layer on sums stayed above for 2,000,000 steps.
STOP_BELOW = 0.1


@dataclasses.dataclass(frozen=True)
class Problem:
    """A task on inputs. Each data set is a subclass.

    Attributes:
        task: Name of the task.
        inputs: Name of the inputs' distribution.
        data: The `tuning.problems.data.DataSettings`.
        tolerance: Largest absolute error that counts as right, of labels
            whose standard deviation is about 1.
        input_rank: Rank of each input without the batch: 1 for vectors, 3
            for images.
        loss: What is minimised, as `compile` takes it.
    """

    task: str
    inputs: str
    data: DataSettings
    tolerance: float

    input_rank = 1
    loss = "mse"

    @classmethod
    def inputs_of(cls, task):
        """Returns the names of the inputs that a task has a meaning on."""
        raise NotImplementedError

    @property
    def input_shapes(self):
        """List of the shapes of the network's inputs, without the batch."""
        raise NotImplementedError

    @property
    def units(self):
        """The width of the network's output."""
        raise NotImplementedError

    def x(self, split):
        """Returns what a network is called on: an array, or a list of them.

        Args:
            split: `"train"`, `"validation"` or `"test"`.
        """
        raise NotImplementedError

    def label(self, split):
        """Returns the labels of a split: an array, or a function of `x`."""
        raise NotImplementedError

    def records(self, split):
        """Returns how many records a split has; they are prepared if not."""
        return len(keras.tree.flatten(self.x(split))[0])

    def metrics(self):
        """Returns the metrics to compile with; one is named `accuracy`."""
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

    def succeeded(self, scores):
        """Whether test scores count as success; None where none do.

        Args:
            scores: Dictionary of the loss and the metrics.
        """
        return None


class ReasoningProblem(Problem):
    """An operation on two vectors, of `reasoning_ops`."""

    @classmethod
    def inputs_of(cls, task):
        return tasks.OPERATIONS[task].inputs

    @property
    def input_shapes(self):
        return [(self.data.width,)] * 2

    @property
    def units(self):
        return tasks.OPERATIONS[self.task].label_width(self.data.width)

    def x(self, split):
        return open_inputs(self.data, self.inputs, split)

    def label(self, split):
        return tasks.OPERATIONS[self.task].label

    def constant(self):
        label = self.label("train")
        a, b = self.x("train")
        some = slice(0, tasks.baseline.MAX_RECORDS)
        known = label(a[some], b[some])
        a, b = self.x("test")
        return _constant(known, label(a[:], b[:]), self.tolerance)


class ArithmeticProblem(Problem):
    """An operation on sums over subsets of a vector, of `arithmetic_ops`.

    It is tested on extrapolation: on elements from a range that was not
    trained on. Training stops when the error of the validation records is a
    tenth of what would be success there. What is tolerated is in units of the
    training labels' standard deviation.
    """

    @classmethod
    def inputs_of(cls, task):
        return ("uniform",)

    @property
    def operation(self):
        return self.task.partition("/")[2]

    @property
    def input_shapes(self):
        return [self.x("test").shape[1:]]

    units = 1

    def x(self, split):
        return _arithmetic(self.operation, _limit(self.data, split), split)[0]

    def label(self, split):
        return _arithmetic(self.operation, _limit(self.data, split), split)[1]

    @property
    def _tolerance(self):
        return self.tolerance * float(self.label("train").std())

    def metrics(self):
        # The error is not the loss where a network is regularized.
        return [
            WithinTolerance(self._tolerance, name="accuracy"),
            keras.metrics.MeanSquaredError(name="error"),
        ]

    def goal(self, target):
        # Errors of weights that cancel out in the range of training do so less
        # beyond it: hence only a part of what would be success there.
        threshold = arithmetic_ops.success_threshold(
            self.operation, "validation"
        )
        return {
            "monitor": "val_error",
            "target": STOP_BELOW * threshold,
            "mode": "min",
        }

    def constant(self):
        return _constant(
            self.label("train")[: tasks.baseline.MAX_RECORDS],
            self.label("test"),
            self._tolerance,
        )

    def succeeded(self, scores):
        threshold = arithmetic_ops.success_threshold(self.operation)
        return bool(scores["error"] <= threshold)


class ImageProblem(Problem):
    """The class of an image, of any TensorFlow dataset that has these."""

    input_rank = 3
    loss = "sparse_categorical_crossentropy"

    @classmethod
    def inputs_of(cls, task):
        return ("images",)

    @property
    def input_shapes(self):
        return [images.shape_and_classes(self.task, self.data.data_dir)[0]]

    @property
    def units(self):
        return images.shape_and_classes(self.task, self.data.data_dir)[1]

    def x(self, split):
        return _images(self.task, self.data, split)[0]

    def label(self, split):
        return _images(self.task, self.data, split)[1]

    def records(self, split):
        # Without decoding them: that takes as long as some training.
        count = images.count_for_search(self.task, split, self.data.data_dir)
        return min(count, _limit(self.data, split) or count)

    def metrics(self):
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def constant(self):
        most = np.bincount(self.label("train")).argmax()
        return float(np.mean(self.label("test") == most)), False


ARITHMETIC = tuple(
    f"arithmetic_ops/{name}" for name in arithmetic_ops.OPERATIONS
)
PLACED_DIGITS = (
    "placed_digits",
    *(f"placed_digits/{label}" for label in placed_digits.LABELS),
)
# What one name stands for.
GROUPS = {"all": tuple(tasks.OPERATIONS), "arithmetic_ops": ARITHMETIC}


def find_problem(task):
    """Returns the class of problems that a task belongs to.

    Args:
        task: Name of a reasoning operation, of an `arithmetic_ops/operation`,
            or of a TensorFlow dataset of labelled images.

    Raises:
        ValueError: There is no such task.
    """
    if task in tasks.OPERATIONS:
        return ReasoningProblem
    if task in ARITHMETIC:
        return ArithmeticProblem
    name = task.partition("/")[0]
    if task in PLACED_DIGITS or (
        name not in ("arithmetic_ops", "reasoning_ops", "placed_digits")
        and name in tfds.list_builders()
    ):
        return ImageProblem
    known = [*tasks.OPERATIONS, *GROUPS, *ARITHMETIC, *PLACED_DIGITS]
    near = difflib.get_close_matches(task, known)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise ValueError(
        f"Unknown task: {task!r}.{hint} Known: {', '.join(known)}, and every "
        "TensorFlow dataset of labelled images."
    )


def open_problem(task, inputs, data, tolerance):
    """Returns the `Problem` of a task on inputs."""
    return find_problem(task)(task, inputs, data, tolerance)


@functools.lru_cache(maxsize=8)
def _arithmetic(operation, limit, split):
    name = "extrapolation" if split == "test" else split
    x, y = arithmetic_ops.load(name, operation)
    return x[:limit], y[:limit]


@functools.lru_cache(maxsize=8)
def _images(name, data, split):
    x, y = images.load_for_search(
        name, split, data.data_dir, _limit(data, split)
    )
    return x, y.astype("int32")


def _limit(data, split):
    """How many records of a split are used at most, None for all."""
    return data.train_records if split == "train" else None


def _constant(known, label, tolerance):
    """Judges the constant, one per element of a label, best for `known`."""
    constant = tasks.baseline.best_constant(known, tolerance)
    share = tasks.baseline.constant_accuracy(constant, known, tolerance)
    accuracy = tasks.baseline.constant_accuracy(constant, label, tolerance)
    return accuracy, share >= tasks.baseline.TRIVIAL_SHARE
