"""How fast a search is, beside stock KerasTuner, and against the hardware.

    KERAS_BACKEND=jax python -m benchmarks.search [grid] [cells] [best] ...

Four measurements, all of the `multiply` network (or `--network`), batch 32:

- `grid`: 9 learning rates × 1,000 steps on 8 tasks, as `tuning.search` does
  it, against KerasTuner's own GridSearch on the same backend, compile time
  included on both sides. The two take turns.
- `cells`: whole cells (9 × 1,000 steps, then 30,000, not stopped early).
- `roofline`: the time that the arithmetic of a step takes at the measured
  speed of matrix products, and its optimizer's memory traffic at the measured
  speed of memory, as a share of the time that a step takes.
- `best`: a step with the best weights kept, as the protocol `thorough` does,
  against one without, validation in both. Processor time, in turns.
"""

import argparse
import os
import tempfile
import threading
import time

from tuning.arguments import Parser
from tuning.arguments import folder
from tuning.arguments import positive_integer

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
import numpy as np
import rich.console
import rich.table

from tuning.problems.data import DataSettings
from tuning.problems.data import open_inputs
from tuning.study.cells import select_cells
from tuning.study.device import device_name
from tuning.study.job import Job
from tuning.study.job import run_job
from tuning.study.model import TaskModel
from tuning.study.model import hyperparameters
from tuning.study.protocol import Protocol
from tuning.study.search import search_cells
from tuning.study.workers import processors
from tuning.study.workers import run_jobs

BEST_TURNS = 7
PAIRS = (
    ("elementwise_mul", "random"),
    ("elementwise_add", "random"),
    ("dot", "random"),
    ("reduce_sum", "random"),
    ("logical_and", "many_hot"),
    ("logical_or", "many_hot"),
    ("logical_xor", "many_hot"),
    ("equality", "many_hot"),
)


def jobs(pairs, network, protocol, data):
    depth = [2] if network.startswith("dense") else [1]
    return [
        Job(
            tuple(
                select_cells(
                    [task], [inputs], [network], ["linear"], depth, [0]
                )
            ),
            protocol,
            data,
        )
        for task, inputs in pairs
    ]


def run(work, function):
    """Returns the seconds that jobs take together, and their peak memory."""
    with PeakMemory() as memory:
        started = time.perf_counter()
        for _, kind, content in run_jobs(work, function):
            if kind == "error":
                raise RuntimeError(content)
        seconds = time.perf_counter() - started
    return seconds, memory.peak


def run_stock(job):
    """Returns the seconds of KerasTuner's own grid search of a job."""
    protocol, cell = job.protocol, job.cells[0]
    model = TaskModel(job)
    arrays = []
    for split, records in (
        ("train", protocol.search_steps * protocol.batch_size),
        ("validation", 4_000),
    ):
        x = open_inputs(job.data, cell.inputs, split)
        a, b = x[0][:records], x[1][:records]
        arrays.append(([a, b], model.labels(split)[0](a, b)))
    (x, y), validation = arrays
    with tempfile.TemporaryDirectory() as directory:
        started = time.perf_counter()
        tuner = keras_tuner.GridSearch(
            model,
            objective=keras_tuner.Objective("val_loss", "min"),
            hyperparameters=hyperparameters(
                task=cell.task,
                depth=cell.depth,
                activation=cell.activation,
                seed=cell.seed,
                learning_rate=protocol.learning_rates,
            ),
            max_consecutive_failed_trials=100,
            directory=directory,
        )
        tuner.search(
            x,
            y,
            batch_size=protocol.batch_size,
            validation_data=validation,
            verbose=0,
        )
        return time.perf_counter() - started


class PeakMemory:
    """The most memory that this process and its children hold together.

    Memory that processes share is counted once.
    """

    def __enter__(self):
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *arguments):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        # Looking takes a tenth of a second of a processor.
        while not self._stop.wait(3):
            self.peak = max(self.peak, sum(map(_held, _family(os.getpid()))))


def _family(process):
    family = [process]
    for member in family:
        try:
            for task in os.listdir(f"/proc/{member}/task"):
                path = f"/proc/{member}/task/{task}/children"
                with open(path) as file:
                    family += [int(child) for child in file.read().split()]
        except OSError:
            continue
    return family


def _held(process):
    try:
        with open(f"/proc/{process}/smaps_rollup") as file:
            lines = [line.split() for line in file]
    except OSError:
        return 0
    return sum(int(line[1]) * 1024 for line in lines if line[0] == "Pss:")


def matmul_speed():
    """Returns floating-point operations per second of large products."""
    a = np.random.default_rng(0).normal(size=(2048, 2048)).astype("float32")
    best = min(_seconds(lambda: a @ a) for _ in range(5))
    return 2 * 2048**3 / best


def memory_speed():
    """Returns bytes per second, read and written, of a pass over memory."""
    source = np.ones(2**27, "float32")
    target = np.zeros_like(source)
    best = min(_seconds(lambda: np.copyto(target, source)) for _ in range(5))
    return 2 * source.nbytes / best


def _seconds(function):
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def roofline_seconds(speeds, width=128, hidden=256, units=128, batch=32):
    """Returns the least seconds of a step of one `multiply` network.

    Arithmetic: three products forward; backward, three for the weights and
    one for the last layer's inputs. Traffic: Adam reads weights, gradients
    and both moments, and writes all but the gradients.
    """
    product = 2 * batch * width * hidden
    arithmetic = 2 * 2 * product + 3 * 2 * batch * hidden * units
    parameters = 2 * (width + 1) * hidden + (hidden + 1) * units
    traffic = 7 * 4 * parameters
    return arithmetic / speeds[0], traffic / speeds[1]


def do_nothing(job, send):
    """A job that ends when its process has imported all it needs."""


def measure_speed(kind, send):
    """A job that measures one processor: see `tuning.study.workers`."""
    speed = matmul_speed if kind[0] == "matmul" else memory_speed
    send("speed", speed())


def speeds():
    """Returns both speeds of all processors at once."""
    found = []
    for name in ("matmul", "memory"):
        work = [(name, processor) for processor in processors()]
        found.append(
            sum(
                content
                for _, kind, content in run_jobs(work, measure_speed)
                if kind == "speed"
            )
        )
    return found


def benchmark_grid(options, table):
    protocol = Protocol(search_steps=options.steps)
    work = jobs(PAIRS, options.network, protocol, options.data)
    ours, stock, memory = [], [], 0
    for turn in range(options.turns):
        seconds, peak = run(work, search_cells)
        ours.append(seconds / len(work))
        memory = max(memory, peak)
        stock.append(run_stock(work[turn * 5 % len(work)]))
    ratios = [b / a for a, b in zip(ours, stock, strict=True)]
    table.add_row(
        f"grid of 9 rates × {options.steps:,} steps, a task",
        f"{np.median(ours):.2f} s",
        f"{np.median(stock):.1f} s",
        f"{np.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})",
    )
    table.add_row(
        "  memory, all processes", f"{memory / 2**30:.2f} GiB", "", ""
    )


def benchmark_cells(options, table):
    # No accuracy is above 1, so that no training stops early.
    protocol = Protocol(target=2.0)
    work = jobs(PAIRS[2:6], options.network, protocol, options.data)
    seconds, _ = run(work, run_job)
    each = seconds / len(work)
    table.add_row(
        "a whole cell, 39,000 steps",
        f"{each:.2f} s",
        "78 to 103 s (released code)",
        f"{78 / each:.1f} to {103 / each:.1f}",
    )
    table.add_row("  cells per hour", f"{3600 / each:,.0f}", "", "")


def step_seconds(job, send):
    """A job that measures the steps of a population on one processor."""
    population, arguments = _population(job)
    population.fit(**arguments)
    started = time.perf_counter()
    population.fit(epochs=3, **arguments)
    taken = 3_000 * population.num_members
    send("seconds", (time.perf_counter() - started) / taken)


def best_seconds(job, send):
    """A job that measures steps without and with the best weights kept."""
    from tuning.population.callbacks import RestoreBest

    population, arguments = _population(job)
    arguments["validation_data"] = TaskModel(job).records("validation")
    for turn in range(2 * BEST_TURNS + 2):
        callbacks = [RestoreBest()] if turn % 2 else []
        started = time.process_time()
        population.fit(epochs=5, callbacks=callbacks, **arguments)
        # In the first of each, programs are compiled.
        if turn > 1:
            send("seconds", time.process_time() - started)


def _population(job):
    """Returns four members, and what to train them on."""
    from tuning.population.population import Population

    model = TaskModel(job)
    values = dict(task=job.cells[0].task, depth=1, activation="linear", seed=0)
    members = [
        model.build(hyperparameters(learning_rate=1e-4, **values))
        for _ in range(4)
    ]
    return Population(members), dict(
        x=model.x("train"),
        y=model.labels("train"),
        steps_per_epoch=1_000,
    )


def benchmark_roofline(options, table):
    if options.network != "multiply":
        raise SystemExit("The roofline is worked out for multiply alone.")
    found = speeds()
    work = jobs(
        [PAIRS[6]] * len(processors()),
        options.network,
        Protocol(),
        options.data,
    )
    measured = [
        content
        for _, kind, content in run_jobs(work, step_seconds)
        if kind == "seconds"
    ]
    together = 1 / sum(1 / each for each in measured)
    arithmetic, traffic = roofline_seconds(found)
    table.add_row(
        "a step of a member, all processors",
        f"{together * 1e3:.3f} ms",
        f"{arithmetic * 1e3:.3f} + {traffic * 1e3:.3f} ms at "
        f"{found[0] / 1e9:.0f} GFLOP/s, {found[1] / 1e9:.0f} GB/s",
        f"{(arithmetic + traffic) / together:.0%} of the roofline",
    )


def benchmark_best(options, table):
    work = jobs(PAIRS[6:7], options.network, Protocol(), options.data)
    seconds = [
        content
        for _, kind, content in run_jobs(work, best_seconds)
        if kind == "seconds"
    ]
    ratios = [b / a for a, b in zip(seconds[::2], seconds[1::2], strict=True)]
    table.add_row(
        "a step with the best weights kept, against one without",
        f"{np.median(seconds[1::2]) / 20_000 * 1e3:.4f} ms",
        f"{np.median(seconds[::2]) / 20_000 * 1e3:.4f} ms",
        f"{np.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})",
    )


def main():
    parser = Parser(
        prog="python -m benchmarks.search",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = {
        "grid": benchmark_grid,
        "cells": benchmark_cells,
        "roofline": benchmark_roofline,
        "best": benchmark_best,
    }
    parser.add_argument("kinds", nargs="*", choices=[[], *kinds], default=[])
    parser.add_argument("--network", default="multiply")
    parser.add_argument("--steps", type=positive_integer, default=1_000)
    parser.add_argument("--turns", type=positive_integer, default=3)
    parser.add_argument("--data-dir", type=folder)
    options = parser.parse_args()
    try:
        select_cells(["dot"], None, [options.network], ["linear"], [1], [0])
    except ValueError as error:
        parser.error(str(error))
    options.data = DataSettings(options.data_dir)
    for inputs in ("random", "many_hot"):
        open_inputs(options.data, inputs, "train")
    # Imports are not counted, on neither side.
    for _ in run_jobs([None] * len(processors()), do_nothing):
        pass
    table = rich.table.Table(
        title=f"{keras.config.backend()} on {len(processors())} × "
        f"{device_name()}, {time.strftime('%Y-%m-%d')}"
    )
    for name in ("what", "kmul", "against", "ratio"):
        table.add_column(name)
    for kind in options.kinds or kinds:
        kinds[kind](options, table)
    rich.console.Console(width=120).print(table)


if __name__ == "__main__":
    main()
