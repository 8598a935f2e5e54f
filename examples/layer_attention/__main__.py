"""The command line of the study."""

import argparse
import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from examples.layer_attention import report
from examples.layer_attention.networks import NETWORKS
from examples.layer_attention.training import QUICK
from examples.layer_attention.training import Job
from examples.layer_attention.training import Settings
from examples.layer_attention.training import train
from tuning.workers import processors
from tuning.workers import run_jobs


def main():
    parser = argparse.ArgumentParser(
        prog="python -m examples.layer_attention",
        description="A study of attention over layers. Trains on all "
        "processors, and writes report.md, figures and tables.",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="few steps and seeds, to see it work",
    )
    parser.add_argument(
        "--directory",
        type=pathlib.Path,
        default=pathlib.Path("results/layer_attention"),
        help="where to write to (default: %(default)s)",
    )
    arguments = parser.parse_args()
    try:
        arguments.directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--directory {arguments.directory}: {error.strerror}")
    settings = QUICK if arguments.quick else Settings()
    # The longest first, so that no processor is left with one at the end.
    jobs = [
        Job(network, depth, settings)
        for depth in sorted(settings.depths, reverse=True)
        for network in NETWORKS
    ]
    total = len(jobs) * len(settings.seeds)
    print(
        f"{keras.config.backend()} on {len(processors())} processors: "
        f"{len(NETWORKS)} networks × depths {settings.depths} × "
        f"{len(settings.seeds)} seeds = {total} trainings",
        flush=True,
    )
    started = time.perf_counter()
    runs = []
    for job, kind, content in run_jobs(jobs, train):
        if kind == "error":
            sys.exit(f"{job.network}, depth {job.depth}:\n{content}")
        if kind == "run":
            runs.append(content)
            print(
                f"{time.perf_counter() - started:5.0f} s  "
                f"{len(runs):3d}/{total}  {content.network:<22}"
                f"depth {content.depth}  seed {content.seed}  "
                f"accuracy {content.accuracy:.3f} (digit "
                f"{content.digit_accuracy:.3f}, position "
                f"{content.position_accuracy:.3f})",
                flush=True,
            )
    minutes = (time.perf_counter() - started) / 60
    how = (
        f"Run on the {keras.config.backend()} backend of Keras "
        f"{keras.__version__} in {minutes:.0f} minutes."
    )
    order = list(NETWORKS)
    runs.sort(key=lambda r: (order.index(r.network), r.depth, r.seed))
    report.write(runs, settings, how, arguments.directory)
    print(f"Written to {arguments.directory / 'report.md'}")


if __name__ == "__main__":
    main()
