"""The command line of the experiment."""

import argparse
import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import rich.console

from experiments.which_layer import parts
from experiments.which_layer.measuring import time_all
from experiments.which_layer.measuring import train
from experiments.which_layer.page import layers_table
from experiments.which_layer.page import write
from tuning.problems.data import DataSettings
from tuning.study.device import device_name
from tuning.study.workers import processors


def main():
    parser = argparse.ArgumentParser(
        prog="python -m experiments.which_layer",
        description="Train every layer of kmul.layers on many tasks from three "
        "seeds, time its training step, and write the tables of "
        "docs/which_layer.md. If you stop it, the same command resumes it.",
    )
    parser.add_argument(
        "--directory",
        default="results/which_layer",
        help="where to write the results (default: %(default)s)",
    )
    parser.add_argument(
        "--data-dir", help="where data sets are kept (default: that of TFDS)"
    )
    parser.add_argument(
        "--page",
        type=pathlib.Path,
        default=pathlib.Path("docs/which_layer.md"),
        help="where to write the tables (default: %(default)s)",
    )
    options = parser.parse_args()
    if not options.page.exists():
        parser.error(f"--page {options.page}: there is no such file")
    page = options.page.read_text(encoding="utf-8")
    missing = [
        mark for part in parts.PARTS for mark in part.marks if mark not in page
    ]
    if missing:
        parser.error(f"--page {options.page}: it should have {missing[0]}")
    console = rich.console.Console()
    try:
        measure(options, console)
    except KeyboardInterrupt:
        console.print("Stopped. The same command resumes it.")
        sys.exit(130)
    console.print(f"Written to {options.page}.")


def measure(options, console):
    """Trains and times all layers and writes their tables."""
    data, wide = (
        DataSettings(
            options.data_dir, train_records=parts.TRAIN_RECORDS, width=width
        )
        for width in (parts.WIDTH, parts.TIMED_WIDTH)
    )
    networks = [parts.networks_of(part) for part in parts.PARTS]
    cells = [
        cell
        for part, names in zip(parts.PARTS, networks, strict=True)
        for cell in parts.cells_of(part, names)
    ]
    results = train(cells, options.directory, data, console)
    about = (
        f"Measured on {time.strftime('%Y-%m-%d')}, {keras.config.backend()} "
        f"backend of Keras {keras.__version__}, {len(processors())} × "
        f"{device_name()}. Mean skill over {parts.SEEDS} seeds."
    )
    for part, names in zip(parts.PARTS, networks, strict=True):
        ratios = time_all(part, names, wide)
        table = layers_table(part, results, ratios)
        write(f"{about}\n\n{table}", part, options.page)


if __name__ == "__main__":
    main()
