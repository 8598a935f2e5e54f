"""Which layer learns what: the tables of `docs/which_layer.md`.

    KERAS_BACKEND=jax python -m experiments.which_layer [--directory DIRECTORY]

Every layer of `kmul.layers` is searched, trained and tested from three seeds.
Those of vectors: by themselves on the operations of `reasoning_ops`, on vectors
of 32 elements; and on `arithmetic_ops` behind a linear dense layer of two
units, which has to find the two sums. Those of images: three after each other,
on `placed_digits`. And a training step of each is timed beside one of
`keras.layers.Dense` of equal width, or of `keras.layers.Conv2D`. Trainings that
are finished are kept in the directory, and the same command goes on from there.
"""

import argparse
import dataclasses
import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pandas as pd
import rich.console

from tuning.networks.layers import layer_names
from tuning.networks.registry import find_network
from tuning.population.population import Population
from tuning.problems.data import DataSettings
from tuning.problems.problem import ARITHMETIC
from tuning.problems.problem import open_problem
from tuning.reporting.tables import to_frame
from tuning.study.cells import select_cells
from tuning.study.job import device_name
from tuning.study.job import hyperparameters
from tuning.study.progress import Progress
from tuning.study.protocol import Protocol
from tuning.study.rows import Result
from tuning.study.study import Settings
from tuning.study.study import Study
from tuning.study.workers import processors
from tuning.study.workers import run_jobs


@dataclasses.dataclass(frozen=True)
class Part:
    """A table: layers of one kind.

    Attributes:
        name: What its place in the page is called.
        columns: Dictionary of pairs of task and inputs, and their headings.
        baseline: Name of the network whose step is the unit of time.
        timed: The pair that steps are timed and parameters are counted on.
        depth: Of the networks.
        activations: Of the networks.
        timed_steps: How many steps are timed at once.
    """

    name: str
    columns: dict
    baseline: str
    timed: tuple
    depth: int = 1
    activations: tuple = ("linear",)
    timed_steps: int = 500

    @property
    def marks(self):
        """What the table stands between in the page."""
        return (
            f"<!-- {self.name}: made by benchmarks.which_layer -->",
            f"<!-- {self.name}: end -->",
        )


# The columns of the first table. Left out are `one_hot_sum`, as there are only
# 1,024 pairs of one-hot vectors of 32 elements; `reduce_max`, whose constant is
# right almost always; and `almost_equal`, which is `equality` on bits.
OPERATIONS = {
    ("concat", "random"): "[a, b]",
    ("elementwise_add", "random"): "a + b",
    ("elementwise_mul", "random"): "a ∘ b",
    ("dot", "random"): "a · b",
    ("reduce_sum", "random"): "Σ",
    ("equality", "many_hot"): "=",
    ("logical_and", "many_hot"): "and",
    ("logical_or", "many_hot"): "or",
    ("logical_xor", "many_hot"): "xor",
    ("arithmetic_ops/add", "uniform"): "s + t",
    ("arithmetic_ops/sub", "uniform"): "s − t",
    ("arithmetic_ops/mul", "uniform"): "s t",
    ("arithmetic_ops/div", "uniform"): "s / t",
    ("arithmetic_ops/square", "uniform"): "s²",
    ("arithmetic_ops/root", "uniform"): "√s",
}
IMAGES = {
    ("placed_digits/digit", "images"): "digit",
    ("placed_digits/position", "images"): "position",
}
# The forms of layers that have several, beside the default.
FORMS = (
    "multiplicative_interaction:form=low_rank,rank=32",
    "multiplicative_interaction:form=diagonal",
    "multiplicative_interaction:form=scalar",
    "gated_dense:gate_activation=linear",
    "gated_dense:gate_activation=silu",
    "polynomial_dense:form=ncp",
    "film:residual=False",
    "polynomial_block_2d:form=regularized",
)
PROTOCOL = Protocol(
    search_steps=500,
    train_steps=2_000,
    learning_rates=(1e-3, 3e-3, 1e-2, 3e-2),
)
SEEDS = 3
WIDTH, TRAIN_RECORDS = 32, 100_000
TIMED_WIDTH, ROUNDS = 128, 5
PARTS = (
    Part("vectors", OPERATIONS, "dense", ("elementwise_mul", "random")),
    Part(
        "images",
        IMAGES,
        "keras.layers:Conv2D",
        ("placed_digits/digit", "images"),
        depth=3,
        activations=("linear", "relu"),
        timed_steps=50,
    ),
)


def networks_of(part):
    """Returns the names of the baseline and of all layers of a part's kind."""
    rank = find_network(part.baseline).input_rank
    names = (*layer_names(), *FORMS)
    return [
        part.baseline,
        *(name for name in names if find_network(name).input_rank == rank),
    ]


def cells_of(part, networks):
    return [
        cell
        for task, inputs in part.columns
        for cell in select_cells(
            [task],
            [inputs],
            networks,
            part.activations,
            # Behind a layer that has to find the two sums.
            [2 if task in ARITHMETIC else part.depth],
            range(SEEDS),
        )
    ]


def train(cells, directory, data, console):
    """Returns the results of all layers as a data frame."""
    study = Study(directory, cells, Settings(PROTOCOL, data))
    with study.open():
        study.prepare()
        with Progress(console, study.missing(), PROTOCOL) as progress:
            for event in study.run():
                progress.update(*event)
        return to_frame(study.rows(), Result)


def time_steps(job, send):
    """A job that times a layer's steps, in turns with those of the baseline."""
    part, network, data = job
    problem = open_problem(*part.timed, data, PROTOCOL.tolerance)
    x, y = problem.x("train"), problem.label("train")
    hp = hyperparameters(
        depth=part.depth, activation="linear", seed=0, learning_rate=1e-4
    )
    both = [
        Population([find_network(name)(problem).build(hp)])
        for name in (network, part.baseline)
    ]
    times = []
    for _ in range(ROUNDS + 1):
        for population in both:
            started = time.perf_counter()
            population.fit(x, y, steps_per_epoch=part.timed_steps)
            times.append(time.perf_counter() - started)
    # The first round compiles.
    mine, baseline = min(times[2::2]), min(times[3::2])
    send("ratio", mine / baseline)


def time_all(part, networks, data):
    """Returns the ratio of each network's time per step to the baseline's."""
    open_problem(*part.timed, data, PROTOCOL.tolerance).records("train")
    jobs = [(part, name, data) for name in networks]
    ratios = {}
    for (_, network, _), kind, content in run_jobs(jobs, time_steps):
        if kind == "error":
            raise RuntimeError(f"{network}:\n{content}")
        if kind == "ratio":
            ratios[network] = content
    return ratios


def table(part, results, ratios):
    """Returns the table of a part in Markdown."""
    columns = part.columns
    pairs = [*zip(results.task, results.inputs, strict=True)]
    mine = [pair in columns for pair in pairs]
    results = results.assign(pair=pairs)[mine]
    results = results[results.network.isin([*ratios])]
    means = results.groupby(["network", "activation", "pair"]).agg(
        skill=("skill", "mean"),
        success=("success", "mean"),
        parameters=("parameters", "mean"),
    )
    rows = [
        ["layer", *columns.values(), "parameters", "step time"],
        ["---", *["--:"] * (len(columns) + 2)],
    ]
    useful = means.skill.clip(0).groupby(["network", "activation"]).mean()
    for network, activation in useful.sort_values(ascending=False).index:
        cells = means.loc[network, activation].reindex([*columns])
        with_it = "" if activation == "linear" else f", {activation}"
        rows.append(
            [
                f"`{network}`{with_it}",
                *map(_skill, cells.itertuples()),
                f"{cells.parameters[part.timed]:,.0f}",
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


def write(text, part, path):
    """Puts a part's table into the page, and leaves the rest."""
    start, end = part.marks
    page = path.read_text(encoding="utf-8")
    before, _, rest = page.partition(start)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{start}\n{text}\n{end}{after}", encoding="utf-8")


def measure(options, console):
    """Trains and times all layers and writes their tables."""
    data, wide = (
        DataSettings(options.data_dir, train_records=TRAIN_RECORDS, width=width)
        for width in (WIDTH, TIMED_WIDTH)
    )
    networks = [networks_of(part) for part in PARTS]
    cells = [
        cell
        for part, names in zip(PARTS, networks, strict=True)
        for cell in cells_of(part, names)
    ]
    results = train(cells, options.directory, data, console)
    about = (
        f"Measured on {time.strftime('%Y-%m-%d')}, {keras.config.backend()} "
        f"backend of Keras {keras.__version__}, {len(processors())} × "
        f"{device_name()}. Mean skill over {SEEDS} seeds."
    )
    for part, names in zip(PARTS, networks, strict=True):
        ratios = time_all(part, names, wide)
        write(f"{about}\n\n{table(part, results, ratios)}", part, options.page)


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
    page = options.page.read_text(encoding="utf-8")
    missing = [
        mark for part in PARTS for mark in part.marks if mark not in page
    ]
    if missing:
        parser.error(f"--page {options.page}: it should have {missing[0]}")
    console = rich.console.Console()
    try:
        measure(options, console)
    except KeyboardInterrupt:
        console.print("Stopped. The same command goes on from there.")
        sys.exit(130)
    console.print(f"Written to {options.page}.")


if __name__ == "__main__":
    main()
