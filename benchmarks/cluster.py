"""Rows per second of a search: the pool of processes, and Dask clusters.

    KERAS_BACKEND=jax python -m benchmarks.cluster --data-dir DIRECTORY

The same small jobs go to the pool of this machine's processors and to local
Dask clusters of so many workers. What is timed is the way from the first result
of each worker to the last; and, apart from that, to the first.
"""

import argparse
import dataclasses
import itertools
import logging
import time

import keras
import rich.console
import rich.table

from tuning.arguments import Parser
from tuning.arguments import folder
from tuning.arguments import positive_integer
from tuning.population.processors import processors
from tuning.problems.data import DataSettings
from tuning.study.cells import select_cells
from tuning.study.cluster import connect
from tuning.study.job import Job
from tuning.study.job import run_job
from tuning.study.protocol import Protocol
from tuning.study.workers import run_jobs


def make_jobs(count, data):
    protocol = Protocol(
        search_steps=500, train_steps=1_000, learning_rates=(1e-3, 1e-2)
    )
    cells = select_cells(
        ["logical_xor"], None, ["dense"], ["linear"], [1], range(count)
    )
    return [Job((cell,), protocol, data) for cell in cells]


def measure(run, jobs, workers):
    """Returns the rows per second, and the seconds to the first."""
    started, ends = time.perf_counter(), []
    for _, kind, content in run(jobs, run_job):
        if kind == "error":
            raise RuntimeError(content)
        if kind == "result":
            ends.append(time.perf_counter() - started)
    steady = ends[workers:]
    return (len(steady) - 1) / (steady[-1] - steady[0]), ends[0]


def on_cluster(jobs, workers):
    import distributed

    with distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        dashboard_address=":0",
        memory_limit=None,
        silence_logs=logging.CRITICAL,
    ) as cluster:
        backend = keras.config.backend()
        with connect(cluster.scheduler_address, backend) as connected:
            return measure(connected.run_jobs, jobs, workers)


def main():
    parser = Parser(
        prog="python -m benchmarks.cluster",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data-dir", type=folder, required=True)
    parser.add_argument("--jobs", type=positive_integer, default=32)
    parser.add_argument("--turns", type=positive_integer, default=2)
    parser.add_argument(
        "--workers", type=positive_integer, nargs="+", default=[1, 2, 4]
    )
    options = parser.parse_args()
    data = DataSettings(options.data_dir, train_records=64_000)
    jobs = make_jobs(options.jobs, data)
    # Prepares the data if they are not there.
    for _ in run_jobs(
        [dataclasses.replace(jobs[0], protocol=Protocol(1, 1, 1))], run_job
    ):
        pass
    engines = {f"pool of {len(processors())}": None}
    engines |= {f"{count} Dask workers": count for count in options.workers}
    found = {name: [] for name in engines}
    for _, (name, count) in itertools.product(
        range(options.turns), engines.items()
    ):
        found[name].append(
            on_cluster(jobs, count)
            if count
            else measure(run_jobs, jobs, len(processors()))
        )
    table = rich.table.Table(title=keras.config.backend())
    for heading in ("engine", "rows per second", "seconds to the first"):
        table.add_column(heading)
    for name, each in found.items():
        rates, starts = zip(*each, strict=True)
        table.add_row(
            name,
            " ".join(f"{rate:.2f}" for rate in rates),
            " ".join(f"{start:.1f}" for start in starts),
        )
    rich.console.Console(width=100).print(table)


if __name__ == "__main__":
    main()
