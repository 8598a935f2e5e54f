"""The command line of the experiment: seed after seed, in order of interest."""

from experiments.studies import run_in_turn
from tuning.study.protocol import PROTOCOLS
from tuning.study.rows import Cell
from tuning.study.study import Settings
from tuning.study.study import Study

SEEDS = range(5)
# Network, depth and activation: those that multiply, and of each kind of rival
# the two best of depth 2 by the protocol `article` or as published.
FIRST = (
    ("multiply", 1, "linear"),
    ("multiply_simple", 1, "linear"),
    ("dense_residual", 2, "tanh"),
    ("dense", 2, "sigmoid"),
    ("dense", 2, "selu"),
    ("dense_residual", 2, "selu"),
)
THEN = (
    ("dense_residual", 3, "tanh"),
    ("dense_residual", 3, "selu"),
    ("dense", 3, "selu"),
    ("dense_residual", 3, "relu"),
    ("dense", 3, "relu"),
    ("dense", 3, "tanh"),
    ("dense", 3, "sigmoid"),
)


def studies(directory):
    """Returns the `Study`s to run one after the other."""
    return [
        Study(
            directory,
            [
                Cell("logical_xor", "many_hot", *network, seed)
                for network in networks
            ],
            Settings(PROTOCOLS["thorough"]),
        )
        for networks in (FIRST, THEN)
        for seed in SEEDS
    ]


if __name__ == "__main__":
    run_in_turn(
        "thorough",
        "Search, train and test the networks that multiply and their strongest "
        "rivals on XOR of bits, by the protocol thorough.",
        studies,
    )
