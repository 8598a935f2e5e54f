"""The tables and settings of a report."""

import dataclasses

import pandas as pd

from tuning.reporting import glossary
from tuning.reporting import tables


@dataclasses.dataclass
class Study:
    """A study, as a report reads it.

    Args:
        results: Data frame of the results.
        trials: Data frame of the trials.
        settings: Dictionary, empty if they are not known.
        published: Data frame of published results, or None.

    Attributes:
        same: As `tuning.reporting.glossary.same_problems` returns it.
        cells: Means over the seeds, as `tables.over_seeds` returns them, with
            the column `mark` of problems that are the same as another.
        best: The best network of each problem.
    """

    results: pd.DataFrame
    trials: pd.DataFrame
    settings: dict
    published: pd.DataFrame | None

    def __post_init__(self):
        cells = tables.over_seeds(self.results)
        pairs = cells[tables.PAIR].drop_duplicates()
        self.same = glossary.same_problems(
            list(pairs.itertuples(index=False, name=None))
        )
        keys = zip(cells.task, cells.inputs, strict=True)
        self.cells = cells.assign(mark=[self.mark(*key) for key in keys])
        self.best = tables.best_networks(self.cells)

    def mark(self, task, inputs):
        """Returns what stands after the name of a problem."""
        if (task, inputs) not in self.same:
            return ""
        (other, _), complement = self.same[task, inputs]
        return f" = {'not ' * complement}{other}"
