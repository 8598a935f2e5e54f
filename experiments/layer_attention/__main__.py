"""The command line of the experiment."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from experiments.layer_attention import report
from experiments.layer_attention.networks import NETWORKS
from experiments.layer_attention.settings import QUICK
from experiments.layer_attention.settings import Job
from experiments.layer_attention.settings import Run
from experiments.layer_attention.settings import Settings
from experiments.layer_attention.training import train
from experiments.runs import from_command_line


def main(arguments=None):
    runs, settings = from_command_line(
        "layer_attention",
        "Does attention over layers do what its proposal says?",
        Settings(),
        QUICK,
        Run,
        arguments,
    )
    runs.run(missing(runs.rows, settings), train, describe)
    order = list(NETWORKS)
    rows = sorted(
        runs.rows, key=lambda r: (order.index(r.network), r.depth, r.seed)
    )
    report.write(rows, settings, runs.how(), runs.directory)
    print(f"Written to {runs.directory / 'report.md'}")


def describe(run):
    return (
        f"{run.network:<22}depth {run.depth}  seed {run.seed}  "
        f"rate {run.learning_rate:<6g}accuracy {run.accuracy:.3f} "
        f"(digit {run.digit_accuracy:.3f}, position "
        f"{run.position_accuracy:.3f})"
    )


def missing(runs, settings):
    """Returns the jobs that are left to do."""
    jobs = []
    # The longest first, so that no processor is left with one at the end.
    for depth in sorted(settings.depths, reverse=True):
        for network in reversed(NETWORKS):
            done = [r for r in runs if (r.network, r.depth) == (network, depth)]
            seeds = set(settings.seeds) - {run.seed for run in done}
            rate = done[0].learning_rate if done else None
            if seeds:
                jobs.append(
                    Job(network, depth, tuple(sorted(seeds)), settings, rate)
                )
    return jobs


if __name__ == "__main__":
    main()
