"""The command line of the experiment: its cells in random order."""

import random

from experiments.studies import run_in_turn
from tuning.study.cells import select_cells
from tuning.study.protocol import PROTOCOLS
from tuning.study.study import Settings
from tuning.study.study import Study

# What the article's code evaluated otherwise than it trained, and what it drew
# otherwise than it says.
PARTS = (
    {"networks": ["dense_residual"], "inputs_names": ["all"]},
    {
        "networks": ["dense", "multiply", "multiply_simple"],
        "inputs_names": ["random_pos"],
    },
)
# So many are finished before any other is begun.
TOGETHER = 20


def cells():
    """Returns all cells, in an order that is random and always the same.

    So those that are finished are a random sample of them.
    """
    found = [
        cell
        for part in PARTS
        for cell in select_cells(
            ["all"], activations=["all"], depths=["all"], seeds=[0], **part
        )
    ]
    random.Random(0).shuffle(found)
    return found


def studies(directory):
    """Returns the `Study`s to run one after the other."""
    found = cells()
    return [
        Study(
            directory,
            found[start : start + TOGETHER],
            Settings(PROTOCOLS["released"]),
        )
        for start in range(0, len(found), TOGETHER)
    ]


if __name__ == "__main__":
    run_in_turn(
        "released",
        "Search, train and test the article's residual networks, and all "
        "others on random_pos, as its code did.",
        studies,
    )
