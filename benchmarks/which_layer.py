"""Which layer learns what: the table of `docs/which_layer.md`.

    KERAS_BACKEND=jax python -m benchmarks.which_layer [--directory DIRECTORY]

Every layer of `kmul.layers` that takes vectors is searched, trained and tested
from three seeds: by itself on operations of `reasoning_ops`, on vectors of 32
elements; and on `arithmetic_ops` behind a linear dense layer of two units,
which has to find the two sums. And a training step of it is timed beside one
of `keras.layers.Dense` of equal width, 128. Trainings that are finished are
kept in the directory, and the same command goes on from there.
"""

import argparse
import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pandas as pd
import rich.console

from tuning.cells import select_cells
from tuning.data import DataSettings
from tuning.job import device_name
from tuning.job import hyperparameters
from tuning.networks import find_network
from tuning.population import Population
from tuning.problems import open_problem
from tuning.progress import Progress
from tuning.protocol import Protocol
from tuning.study import Settings
from tuning.study import Study
from tuning.summary import to_numbers
from tuning.vector_networks import layer_names
from tuning.workers import processors
from tuning.workers import run_jobs

ARITHMETIC = tuple(
    f"arithmetic_ops/{name}" for name in ("add", "mul", "div", "root")
)
PAIRS = (
    ("elementwise_add", "random"),
    ("elementwise_mul", "random"),
    ("dot", "random"),
    ("logical_xor", "many_hot"),
    *((task, "uniform") for task in ARITHMETIC),
)
PROTOCOL = Protocol(
    search_steps=200,
    train_steps=2_000,
    learning_rates=(1e-3, 1e-2, 1e-1),
)
SEEDS = 3
WIDTH, TRAIN_RECORDS = 32, 100_000
TIMED_PAIR, TIMED_WIDTH, TIMED_STEPS, ROUNDS = PAIRS[1], 128, 500, 5
START, END = "<!-- made by benchmarks.which_layer -->", "<!-- end -->"


def usable_layers(data):
    """Returns the names of the layers that can be called on two vectors."""
    problem = open_problem(*PAIRS[0], data, PROTOCOL.tolerance)
    names = ["dense"]
    for name in layer_names():
        try:
            find_network(name)(problem).model(1, "linear")
        except ValueError:
            continue
        names.append(name)
    return names


def train(networks, directory, data, console):
    """Returns the results of all layers as a data frame."""
    cells = [
        cell
        for task, inputs in PAIRS
        for cell in select_cells(
            [task],
            [inputs],
            networks,
            ["linear"],
            [2 if task in ARITHMETIC else 1],
            range(SEEDS),
        )
    ]
    study = Study(directory, cells, Settings(PROTOCOL, data))
    with study.open():
        study.prepare()
        with Progress(console, study.missing(), PROTOCOL) as progress:
            for event in study.run():
                progress.update(*event)
        frame = pd.DataFrame(study.rows())
        to_numbers(frame, study.results.path)
        return frame


def time_steps(job, send):
    """A job that times a layer's steps, in turns with those of Dense."""
    network, data = job
    problem = open_problem(*TIMED_PAIR, data, PROTOCOL.tolerance)
    x, y = problem.x("train"), problem.label("train")
    hp = hyperparameters(
        depth=1, activation="linear", seed=0, learning_rate=1e-4
    )
    both = [
        Population([find_network(name)(problem).build(hp)])
        for name in (network, "dense")
    ]
    times = []
    for _ in range(ROUNDS + 1):
        for population in both:
            started = time.perf_counter()
            population.fit(x, y, steps_per_epoch=TIMED_STEPS)
            times.append(time.perf_counter() - started)
    # The first round compiles.
    mine, dense = min(times[2::2]), min(times[3::2])
    send("ratio", mine / dense)


def table(results, ratios):
    """Returns the table in Markdown."""
    means = results.groupby(["network", "task"]).agg(
        skill=("skill", "mean"),
        success=("success", "mean"),
        parameters=("parameters", "mean"),
    )
    names = [task.replace("arithmetic_ops/", "sums: ") for task, _ in PAIRS]
    rows = [
        ["layer", *names, "parameters", "step time"],
        ["---", *["--:"] * (len(names) + 2)],
    ]
    useful = means.skill.clip(0).groupby("network").mean()
    for network in useful.sort_values(ascending=False).index:
        cells = means.loc[network].reindex([task for task, _ in PAIRS])
        size = cells.parameters.get(TIMED_PAIR[0], float("nan"))
        rows.append(
            [
                f"`{network}`",
                *map(_skill, cells.itertuples()),
                f"{size:,.0f}",
                f"{ratios[network]:.2f}×",
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _skill(cell):
    if pd.isna(cell.skill):
        return "–"
    text = f"{max(cell.skill, 0):.2f}"
    mark = " ✓" if cell.success == 1 else ""
    return f"**{text}**{mark}" if cell.skill >= 0.9 else text + mark


def write(text, path):
    """Puts a text between the marks of a page, and leaves the rest."""
    page = path.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{START}\n{text}\n{END}{after}", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--directory", default="results/which_layer")
    parser.add_argument("--data-dir")
    parser.add_argument(
        "--page", type=pathlib.Path, default=pathlib.Path("docs/which_layer.md")
    )
    options = parser.parse_args()
    if not options.page.exists():
        parser.error(f"--page {options.page}: there is no such file")
    console = rich.console.Console()
    data = DataSettings(
        options.data_dir, width=WIDTH, train_records=TRAIN_RECORDS
    )
    networks = usable_layers(data)
    try:
        results = train(networks, options.directory, data, console)
    except KeyboardInterrupt:
        console.print("Stopped. The same command goes on from there.")
        sys.exit(130)
    wide = DataSettings(options.data_dir, width=TIMED_WIDTH)
    open_problem(*TIMED_PAIR, wide, PROTOCOL.tolerance).x("train")
    ratios = {
        job[0]: content
        for job, kind, content in run_jobs(
            [(name, wide) for name in networks], time_steps
        )
        if kind == "ratio"
    }
    about = (
        f"Measured on {time.strftime('%Y-%m-%d')}, {keras.config.backend()} "
        f"backend of Keras {keras.__version__}, {len(processors())} × "
        f"{device_name()}. Mean skill over {SEEDS} seeds."
    )
    write(f"{about}\n\n{table(results, ratios)}", options.page)
    console.print(f"Written to {options.page}.")


if __name__ == "__main__":
    main()
