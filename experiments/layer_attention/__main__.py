"""The command line of the study."""

import argparse
import datetime
import os
import pathlib
import platform
import re
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from experiments.layer_attention import report
from experiments.layer_attention.networks import NETWORKS
from experiments.layer_attention.settings import QUICK
from experiments.layer_attention.settings import Job
from experiments.layer_attention.settings import Settings
from experiments.layer_attention.storage import Storage
from experiments.layer_attention.training import train
from tuning.study.workers import processors
from tuning.study.workers import run_jobs


def main():
    parser = argparse.ArgumentParser(
        prog="python -m experiments.layer_attention",
        description="A study of attention over layers. Trains on all "
        "processors, and writes report.md, figures and tables. Stop it "
        "whenever you like: the same command goes on where it stopped.",
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
    try:
        storage = Storage(arguments.directory, settings)
    except ValueError as error:
        parser.error(str(error))
    jobs = missing(storage.runs, settings)
    done = len(storage.runs)
    total = done + sum(len(job.seeds) for job in jobs)
    print(
        f"{keras.config.backend()} on {len(processors())} processors: "
        f"{len(NETWORKS)} networks × depths {settings.depths} × "
        f"{len(settings.seeds)} seeds = {total} trainings"
        + (f", {done} of them done before" if done else ""),
        flush=True,
    )
    started = time.perf_counter()
    for job, kind, run in run_jobs(jobs, train) if jobs else ():
        if kind == "error":
            sys.exit(f"{job.network}, depth {job.depth}:\n{run}")
        if kind == "run":
            storage.add(run)
            print(
                f"{time.perf_counter() - started:5.0f} s  "
                f"{len(storage.runs):3d}/{total}  {run.network:<22}"
                f"depth {run.depth}  seed {run.seed}  "
                f"rate {run.learning_rate:<6}accuracy {run.accuracy:.3f} "
                f"(digit {run.digit_accuracy:.3f}, position "
                f"{run.position_accuracy:.3f})",
                flush=True,
            )
    order = list(NETWORKS)
    runs = sorted(
        storage.runs, key=lambda r: (order.index(r.network), r.depth, r.seed)
    )
    report.write(runs, settings, machine(runs), arguments.directory)
    print(f"Written to {arguments.directory / 'report.md'}")


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


def machine(runs):
    """A sentence that says on what it was run, when, and for how long."""
    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            found = re.search(r"model name\s*: (.*)", file.read())
        name = found[1].strip() if found else name
    count = len(processors())
    minutes = sum(run.seconds for run in runs) / count / 60
    return (
        f"Run on {datetime.date.today()} with Keras {keras.__version__} on "
        f"{keras.config.backend()}, on {count} processors ({name}), in "
        f"{minutes:.0f} minutes."
    )


if __name__ == "__main__":
    main()
