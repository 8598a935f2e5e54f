"""What a user might hand to `--task`."""

import numpy as np

from tuning.problems.problem import Problem
from tuning.problems.problem import judge_constant


class Square(Problem):
    """The squares of a vector's elements."""

    input_shapes = ((4,),)
    units = 4

    @classmethod
    def inputs_of(cls, task):
        return ("normal", "uniform")

    def x(self, split):
        rng = np.random.default_rng(
            ["train", "validation", "test"].index(split)
        )
        draw = getattr(rng, "normal" if self.inputs == "normal" else "uniform")
        return draw(size=(256, 4)).astype("float32")

    def label(self, split):
        return self.x(split) ** 2

    def constant(self):
        return judge_constant(
            self.label("train"), self.label("test"), self.tolerance
        )
