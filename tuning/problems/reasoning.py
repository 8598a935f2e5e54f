"""The operations on two vectors."""

import functools

import tasks
from tasks import baseline
from tuning.problems.data import keep_beside
from tuning.problems.data import open_inputs
from tuning.problems.problem import Problem
from tuning.problems.problem import constant_squared_error
from tuning.problems.problem import judge_constant

DEFAULT_INPUTS = "many_hot"


class ReasoningProblem(Problem):
    """An operation on two vectors, of `reasoning_ops`."""

    @classmethod
    def task_names(cls):
        return tuple(tasks.OPERATIONS)

    @classmethod
    def groups(cls):
        return {"all": cls.task_names()}

    @classmethod
    def describe(cls):
        return [
            f"{task}: {', '.join(cls.inputs_of(task))}"
            for task in cls.task_names()
        ]

    @classmethod
    def inputs_of(cls, task):
        return tasks.OPERATIONS[task].inputs

    @classmethod
    def default_inputs(cls, task):
        return (DEFAULT_INPUTS,)

    @classmethod
    def check_inputs(cls, task, inputs):
        tasks.check_pair(task, inputs)

    @property
    def together(self):
        return "reasoning_ops", self.inputs, self.units

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
        accuracy, is_trivial, _ = self._judged
        return accuracy, is_trivial

    def constant_loss(self):
        return self._judged[2]

    @functools.cached_property
    def _judged(self):
        return keep_beside(
            self.data,
            self.inputs,
            f"{self.task}_{self.tolerance:g}",
            self._judge,
        )

    def _judge(self):
        # The labels of some training records, and of all test records.
        label = self.label("train")
        a, b = self.x("train")
        some = slice(0, baseline.MAX_RECORDS)
        known = label(a[some], b[some])
        a, b = self.x("test")
        tested = label(a[:], b[:])
        return [
            *judge_constant(known, tested, self.tolerance),
            constant_squared_error(known, tested),
        ]
