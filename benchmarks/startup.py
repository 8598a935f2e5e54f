"""How long a search takes from the command to its last line.

    KERAS_BACKEND=jax python -m benchmarks.startup --data-dir DIRECTORY
    [--before COMMIT | --stock]

Two searches, each as a process of its own: one cell, and six cells whose
training is a single step. With `--before`, a clone of that commit takes turns
with this tree, and the ratio of each pair is given. With `--stock`, it is
KerasTuner's own grid search, in a process of its own, on the same models and
records. `first` is without what earlier searches have kept (compiled programs,
the best constants, that the data were verified), `again` is with it. After them
stands where the time goes in one worker.
"""

import argparse
import contextlib
import functools
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import rich.console
import rich.table

from tuning.arguments import Parser
from tuning.arguments import folder
from tuning.arguments import positive_integer

ROOT = pathlib.Path(__file__).parents[1]
TASKS = {
    "one cell": ["dot"],
    "six cells": [
        "concat",
        "elementwise_mul",
        "elementwise_add",
        "dot",
        "reduce_sum",
        "reduce_max",
    ],
}
COMMON = "--inputs random --network multiply --activation linear".split()
SEARCHES = {
    name: ("--task", *tasks, *COMMON, "--train-steps", steps)
    for (name, tasks), steps in zip(TASKS.items(), ("1000", "1"), strict=True)
}


def run(tree, arguments, data_dir, cache):
    """Returns the seconds that a search takes in a tree."""
    with tempfile.TemporaryDirectory() as directory:
        return timed(
            tree,
            *("tuning.search", *arguments),
            *("--data-dir", data_dir, "--directory", directory),
            KMUL_CACHE_DIR=cache,
        )


def timed(tree, *module, **variables):
    """Returns the seconds that `python -m module ...` takes in a tree."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", *module],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": "", **variables},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started


def search_with_stock(tasks, data_dir):
    """Searches the rates of `multiply` on tasks as KerasTuner does it."""
    from benchmarks.search import jobs
    from benchmarks.search import run_stock
    from tuning.problems.data import DataSettings
    from tuning.study.protocol import Protocol

    pairs = [(task, "random") for task in tasks]
    data = DataSettings(data_dir)
    for job in jobs(pairs, "multiply", Protocol(), data):
        run_stock(job)


def forget(data_dir):
    """Removes the files that searches keep beside their data."""
    for pattern in (".*.verified", "constants/*.json"):
        for path in pathlib.Path(data_dir).rglob(pattern):
            path.unlink()


@contextlib.contextmanager
def cloned(commit):
    """Gives a clone of this repository at a commit, None without one."""
    if commit is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as tree:
        for command in (
            ("clone", "--quiet", ROOT, tree),
            ("-C", tree, "checkout", "--quiet", commit),
        ):
            subprocess.run(["git", *command], check=True)
        yield tree


def compare(options, table, console):
    with cloned(options.before) as before:
        for name in options.search or SEARCHES:
            arguments = SEARCHES[name]
            seconds = {"before": [], "first": [], "again": []}
            for _ in range(options.turns):
                with tempfile.TemporaryDirectory() as cache:
                    search = functools.partial(
                        run,
                        arguments=arguments,
                        data_dir=options.data_dir,
                        cache=cache,
                    )
                    if before is not None:
                        seconds["before"].append(search(before))
                    if options.stock:
                        seconds["before"].append(
                            timed(
                                ROOT,
                                *("benchmarks.startup", "--only-stock", name),
                                *("--data-dir", options.data_dir),
                            )
                        )
                    forget(options.data_dir)
                    seconds["first"].append(search(ROOT))
                    seconds["again"].append(search(ROOT))
                console.print(
                    name, {kind: each[-1:] for kind, each in seconds.items()}
                )
            for kind in ("first", "again"):
                ratios = [
                    old / new
                    for old, new in zip(
                        seconds["before"], seconds[kind], strict=False
                    )
                ]
                table.add_row(
                    f"{name}, {kind}",
                    *(
                        f"{statistics.median(each):.1f} s" if each else ""
                        for each in (seconds["before"], seconds[kind])
                    ),
                    f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to "
                    f"{max(ratios):.2f})"
                    if ratios
                    else "",
                )


def stages(job, send):
    """A job that sends how long each stage of a cell takes in a worker."""
    from tuning.population.population import Population
    from tuning.study.model import TaskModel
    from tuning.study.model import hyperparameters

    job, sent = job
    # The clock of all processes.
    send("a worker's start", time.monotonic() - sent)
    started = time.perf_counter()

    def ended(stage):
        nonlocal started
        send(stage, time.perf_counter() - started)
        started = time.perf_counter()

    model = TaskModel(job)
    validation = model.records("validation")
    x, y = model.x("train"), model.labels("train")
    ended("the data, opened")
    model.problems[0].constant()
    ended("the best constant")
    values = dict(task=job.cells[0].task, depth=1, activation="linear", seed=0)
    members = [
        model.build(hyperparameters(learning_rate=rate, **values))
        for rate in job.protocol.learning_rates
    ]
    population = Population(members)
    ended("nine models, built")
    fit = functools.partial(population.fit, x, y, validation_data=validation)
    fit(steps_per_epoch=250)
    ended("250 steps of each, and compilation")
    fit(steps_per_epoch=250)
    ended("250 steps of each, compiled")


def show_stages(options, console):
    from tuning.problems.data import DataSettings
    from tuning.study.cells import select_cells
    from tuning.study.job import Job
    from tuning.study.protocol import Protocol
    from tuning.study.workers import run_jobs

    command = "import tuning.study.preload, tuning.study.job"
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", command], cwd=ROOT, check=True)
    console.print(f"{time.perf_counter() - started:8.2f} s  imports")
    cells = select_cells(
        ["dot"], ["random"], ["multiply"], ["linear"], [1], [0]
    )
    job = Job(
        tuple(cells),
        Protocol(),
        DataSettings(options.data_dir),
    )
    for _, kind, content in run_jobs([(job, time.monotonic())], stages):
        if kind == "error":
            raise RuntimeError(content)
        if content is not None:
            console.print(f"{content:8.2f} s  {kind}")


def main():
    parser = Parser(
        prog="python -m benchmarks.startup",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    against = parser.add_mutually_exclusive_group()
    against.add_argument("--before", metavar="COMMIT")
    against.add_argument("--stock", action="store_true")
    # The process that `--stock` starts.
    against.add_argument(
        "--only-stock", choices=list(SEARCHES), help=argparse.SUPPRESS
    )
    parser.add_argument("--search", action="append", choices=list(SEARCHES))
    parser.add_argument("--turns", type=positive_integer, default=3)
    parser.add_argument("--data-dir", type=folder, required=True)
    options = parser.parse_args()
    if options.before:
        name = f"{options.before}^{{commit}}"
        command = ["git", "rev-parse", "--quiet", "--verify", name]
        if subprocess.run(command, cwd=ROOT, capture_output=True).returncode:
            parser.error(f"there is no commit {options.before!r}")
    if options.only_stock:
        search_with_stock(TASKS[options.only_stock], options.data_dir)
        return
    console = rich.console.Console(width=100)
    table = rich.table.Table(title=os.environ.get("KERAS_BACKEND"))
    against = "KerasTuner" if options.stock else "before"
    for name in ("search", against, "now", "ratio"):
        table.add_column(name)
    # Prepares the data if they are not there.
    run(ROOT, SEARCHES["one cell"], options.data_dir, "")
    compare(options, table, console)
    console.print(table)
    show_stages(options, console)


if __name__ == "__main__":
    main()
