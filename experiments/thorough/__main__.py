"""The command line of the experiment: seed after seed, in order of interest."""

from experiments.studies import run_in_turn
from tuning.study.protocol import PROTOCOLS
from tuning.study.rows import Cell
from tuning.study.study import Settings
from tuning.study.study import Study

SEEDS = range(5)
XOR = "logical_xor", "many_hot"
# Network, depth and activation: those that multiply, and of each kind of rival
# the best of depth 2 by the protocol `article` or as published.
BEST = (
    ("multiply", 1, "linear"),
    ("multiply_simple", 1, "linear"),
    ("dense_residual", 2, "tanh"),
    ("dense", 2, "sigmoid"),
)
# On products and dot products of numbers, the best of each kind.
PRODUCTS = {
    ("elementwise_mul", "random"): (
        ("multiply", 1, "linear"),
        ("dense_residual", 3, "tanh"),
        ("dense", 3, "tanh"),
    ),
    ("dot", "random"): (
        ("dense_residual", 3, "selu"),
        ("dense", 3, "selu"),
    ),
}
OTHERS = (
    ("dense_residual", 2, "selu"),
    ("dense", 2, "selu"),
    ("dense_residual", 3, "tanh"),
    ("dense_residual", 3, "selu"),
    ("dense", 3, "selu"),
    ("dense_residual", 3, "relu"),
    ("dense", 3, "relu"),
    ("dense", 3, "tanh"),
    ("dense", 3, "sigmoid"),
)


def cells():
    """Returns lists of cells, in order of interest."""
    products = [
        [
            Cell(*pair, *network, seed)
            for pair, networks in PRODUCTS.items()
            for network in networks
        ]
        for seed in SEEDS
    ]
    return [
        *([Cell(*XOR, *network, seed) for network in BEST] for seed in SEEDS),
        products[0],
        *([Cell(*XOR, *network, seed) for network in OTHERS] for seed in SEEDS),
        *products[1:],
    ]


def studies(directory):
    """Returns the `Study`s to run one after the other."""
    settings = Settings(PROTOCOLS["thorough"])
    return [Study(directory, some, settings) for some in cells()]


if __name__ == "__main__":
    run_in_turn(
        "thorough",
        "Search, train and test the networks that multiply and their strongest "
        "rivals on XOR of bits, and on products, by the protocol thorough.",
        studies,
    )
