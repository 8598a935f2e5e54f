"""The command line of the experiment: seed after seed, width after width."""

import pathlib

from experiments.studies import run_in_turn
from tuning.problems.data import DataSettings
from tuning.study.protocol import PROTOCOLS
from tuning.study.rows import Cell
from tuning.study.study import Settings
from tuning.study.study import Study

SEEDS = range(5)
NETWORKS = {
    32: ("multiply", "Hidden1024"),
    64: ("multiply", "Hidden512"),
    128: ("multiply", "Hidden128", "multiply_simple"),
}


def studies(directory):
    """Returns the `Study`s: each width has a directory of its own."""
    return [
        Study(
            pathlib.Path(directory, str(width)),
            [
                Cell("dot", "random", _name(network), 1, "linear", seed)
                for network in networks
            ],
            Settings(PROTOCOLS["thorough"], DataSettings(width=width)),
        )
        for seed in SEEDS
        for width, networks in NETWORKS.items()
    ]


def _name(network):
    if network.startswith("Hidden"):
        return f"experiments.widths.networks:{network}"
    return network


if __name__ == "__main__":
    run_in_turn(
        "widths",
        "Search, train and test `multiply` on the dot product of vectors of "
        "32, 64 and 128 elements, by the protocol thorough.",
        studies,
    )
