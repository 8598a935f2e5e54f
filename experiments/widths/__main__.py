"""The command line of the experiment: seed after seed, the longest first."""

import pathlib

from experiments.studies import run_in_turn
from tuning.problems.data import DataSettings
from tuning.study.protocol import PROTOCOLS
from tuning.study.rows import Cell
from tuning.study.study import Settings
from tuning.study.study import Study

SEEDS = range(5)
TASKS = {128: ("dot", "reduce_sum"), 64: ("dot",), 32: ("dot",)}
NETWORKS = "multiply", "multiply_simple"


def studies(directory):
    """Returns the `Study`s: each width has a directory of its own."""
    return [
        Study(
            pathlib.Path(directory, str(width)),
            [
                Cell(task, "random", network, 1, "linear", seed)
                for task in tasks
                for network in NETWORKS
            ],
            Settings(PROTOCOLS["thorough"], DataSettings(width=width)),
        )
        for seed in SEEDS
        for width, tasks in TASKS.items()
    ]


if __name__ == "__main__":
    run_in_turn(
        "widths",
        "Search, train and test the networks that multiply on dot products "
        "and sums of vectors of 32, 64 and 128 elements, by the protocol "
        "thorough.",
        studies,
    )
