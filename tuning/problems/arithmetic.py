"""Arithmetic on sums over subsets of a vector."""

import functools

from tasks import arithmetic_ops
from tasks import baseline
from tuning.problems.problem import Problem
from tuning.problems.problem import constant_squared_error
from tuning.problems.problem import judge_constant

NAME = "arithmetic_ops"
# The share of the error of success at which training in arithmetic stops. At
# a hundredth, a dense layer on sums stayed above for 2,000,000 steps.
STOP_BELOW = 0.1


class ArithmeticProblem(Problem):
    """An operation on sums over subsets of a vector, of `arithmetic_ops`.

    It is tested on extrapolation: on elements from a range that was not
    trained on. Training stops when the error of the validation records is a
    tenth of what would be success there. What is tolerated is in units of the
    training labels' standard deviation.
    """

    @classmethod
    def task_names(cls):
        return tuple(f"{NAME}/{name}" for name in arithmetic_ops.OPERATIONS)

    @classmethod
    def groups(cls):
        return {NAME: cls.task_names()}

    @classmethod
    def describe(cls):
        return [f"{NAME}, all of these: {', '.join(cls.task_names())}"]

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
        return self._load(split)[0]

    def label(self, split):
        return self._load(split)[1]

    def _load(self, split):
        limit = self.data.train_records if split == "train" else None
        return _load(self.operation, split, self.data.data_dir, limit)

    @property
    def _tolerance(self):
        return self.tolerance * float(self.label("train").std())

    def metrics(self):
        import keras

        from kmul.metrics import WithinTolerance

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
        return judge_constant(*self._labels(), self._tolerance)

    def constant_loss(self):
        return constant_squared_error(*self._labels())

    def _labels(self):
        """The labels of some training records, and of all test records."""
        known = self.label("train")[: baseline.MAX_RECORDS]
        return known, self.label("test")

    def succeeded(self, scores):
        threshold = arithmetic_ops.success_threshold(self.operation)
        return bool(scores["error"] <= threshold)


@functools.lru_cache(maxsize=8)
def _load(operation, split, data_dir, limit):
    name = "extrapolation" if split == "test" else split
    x, y = arithmetic_ops.load(operation, name, data_dir)
    return x[:limit], y[:limit]
