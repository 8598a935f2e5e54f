"""The command line of a search: `python -m tuning.search --help`."""

import argparse
import contextlib
import dataclasses
import gc
import importlib.util
import os
import signal
import sys

from tuning.arguments import Parser
from tuning.arguments import folder
from tuning.arguments import integer
from tuning.arguments import positive_integer
from tuning.arguments import positive_number
from tuning.arguments import shard
from tuning.errors import InstallationError
from tuning.errors import UserError
from tuning.errors import check_installation
from tuning.errors import check_packages
from tuning.messages import one_line
from tuning.study.cluster import connect
from tuning.study.imports import BACKENDS
from tuning.study.imports import backend_name
from tuning.study.imports import import_keras
from tuning.study.limits import check_limits
from tuning.study.programs import keep_programs
from tuning.study.workers import leave_gpus_alone
from tuning.study.workers import processors
from tuning.study.workers import start_early

# Each makes a cell of every combination.
MOST_SEEDS = 10_000
DESCRIPTION = """\
Find out which networks learn an operation. Every network is searched over
learning rate and depth, trained at the best rate, and tested. The backend is
KERAS_BACKEND: jax, tensorflow or torch."""


def main(arguments=None):
    """Runs a search; returns the process's exit code."""
    options = _parser().parse_args(arguments)
    # TensorFlow's own greeting is of no use here.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        check_backend()
        if options.list:
            check_installation()
            return _list()
        check_packages()
        check_limits()
        is_command = arguments is None
        leave_gpus_alone()
        if is_command and not options.cluster and len(processors()) > 1:
            # The workers' imports take as long as those of this process.
            start_early("tuning.study.job")
        check_installation()
        import_keras()
        if is_command:
            # For jobs in this process; workers do it for themselves.
            keep_programs()
        with contextlib.ExitStack() as stack:
            cluster = None
            if options.cluster:
                cluster = stack.enter_context(
                    connect(options.cluster, backend_name())
                )
            # Before the cluster is left, which would be interrupted again.
            stack.callback(_disarm)
            return _search(options, cluster)
    except KeyboardInterrupt:
        _disarm()
        print(
            f"\nStopped. Finished results are in {options.directory}; the same "
            "command resumes the search.",
            file=sys.stderr,
        )
        return 130
    except BrokenPipeError:
        # The reader of the output has had enough.
        return 141
    # Anything else is a bug, and shown as one.
    except (UserError, OSError) as error:
        _complain(error)
        return 2


def run_command():
    """Runs a search as a process of its own; returns its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Under `nohup` one of them is ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    signal.signal(signal.SIGALRM, _interrupt)
    # Those of a search by KerasTuner, which would wait for others.
    for name in [each for each in os.environ if each.startswith("KERASTUNER_")]:
        del os.environ[name]
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))
        # Where the terminal has no such characters.
        getattr(sys, name).reconfigure(errors="replace")
    exit_code = main()
    # Everything is written: Ctrl-C could only interrupt Python's way out, which
    # takes a second where every object is looked at once more.
    _disarm()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()
    if exit_code == 141:
        # Nor would it take the last lines.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return exit_code


def _complain(message):
    print(f"search: error: {one_line(message, 10_000)}", file=sys.stderr)


def _interrupt(*_):
    # Where Python calls back out of C, as JAX has the garbage collector do, an
    # exception is printed and forgotten. So there is another one soon.
    signal.setitimer(signal.ITIMER_REAL, 2)
    raise KeyboardInterrupt


def _disarm():
    signal.setitimer(signal.ITIMER_REAL, 0)


def _parser():
    parser = Parser(
        prog="python -m tuning.search",
        description=DESCRIPTION,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )

    def several(name, default, kind=str, **kwargs):
        parser.add_argument(
            name,
            nargs="+",
            default=default,
            type=lambda text: text if text == "all" else kind(text),
            metavar=name.strip("-").replace("-", "_").upper(),
            **kwargs,
        )

    several("--task", ["logical_xor"], help="tasks, or all operations")
    several(
        "--inputs",
        None,
        help="input distributions, or all (default: many_hot, or what the task "
        "has)",
    )
    several(
        "--network",
        ["all"],
        help="networks, layers, package.module:Name, or all",
    )
    several("--activation", ["linear", "relu"], help="activations, or all")
    several("--depth", ["all"], positive_integer, help="depths, or all")
    several("--learning-rate", ["all"], positive_number, help="rates, or all")
    parser.add_argument(
        "--protocol",
        choices=("article", "released", "thorough"),
        default="article",
        help="how networks are trained: as the article says, as its released "
        "code did, or so that conclusions can rest on it (10,000 steps a "
        "trial, 100,000 after it)",
    )
    for name, default, text in (
        ("--search-steps", None, "steps of a trial of a learning rate"),
        ("--train-steps", None, "steps of the training after it, at most"),
        ("--batch-size", 32, "records per step"),
    ):
        parser.add_argument(
            name,
            type=positive_integer,
            default=default,
            help=text if default else f"{text} (default: the protocol's)",
        )
    parser.add_argument(
        "--seeds",
        type=_seeds,
        default=1,
        help="how many seeds to repeat everything with",
    )
    parser.add_argument(
        "--train-records",
        type=positive_integer,
        help="records to train on, at most (default: 1,000,000)",
    )
    parser.add_argument(
        "--width",
        type=positive_integer,
        default=128,
        help="how long each of the two vectors of an operation is",
    )
    parser.add_argument(
        "--seed", type=integer, default=0, help="the first seed"
    )
    parser.add_argument(
        "--shard",
        type=shard,
        metavar="I/N",
        help="run the I-th of N parts, each in a directory of its own, to be "
        "merged by tuning.merge",
    )
    parser.add_argument(
        "--cluster",
        type=folder,
        metavar="SCHEDULER",
        help="run on a Dask cluster: the address of its scheduler, a scheduler "
        "file, or local",
    )
    parser.add_argument(
        "--directory",
        type=folder,
        default="results",
        help="where the results go",
    )
    parser.add_argument(
        "--data-dir",
        type=folder,
        help="where data sets are kept (default: that of TFDS)",
    )
    parser.add_argument(
        "--save-best",
        nargs="?",
        const="saved_models",
        type=folder,
        metavar="DIRECTORY",
        help="save the best model of each task (in saved_models)",
    )
    parser.add_argument(
        "--list", action="store_true", help="list all names, and stop"
    )
    return parser


def _seeds(text):
    value = positive_integer(text)
    if value > MOST_SEEDS:
        raise argparse.ArgumentTypeError(
            f"expected {MOST_SEEDS:,} at most, received {text!r}"
        )
    return value


def check_backend():
    """Raises an `InstallationError` unless Keras's backend is there."""
    name = backend_name()
    if name not in BACKENDS:
        raise InstallationError(
            f"Unknown backend: KERAS_BACKEND={name}. Known: "
            f"{', '.join(BACKENDS)}."
        )
    if importlib.util.find_spec(name) is None:
        raise InstallationError(
            f"The backend {name} is not installed. Install it with pip install "
            f"'kmul[{name}]', or set KERAS_BACKEND to another."
        )


def _list():
    from tuning.networks.layers import LAYERS
    from tuning.networks.network import ACTIVATIONS
    from tuning.networks.network import LEARNING_RATES
    from tuning.networks.registry import NETWORKS
    from tuning.problems.registry import KINDS

    print("tasks, and the inputs they can be learned on:")
    for kind in KINDS:
        for line in kind.describe():
            print(f"  {line}")
    print("networks, their depths and activations:")
    for name, network in NETWORKS.items():
        depths = ", ".join(map(str, network.depths))
        print(f"  {name}: {depths}; {', '.join(network.activations)}")
    print(f"  layers: {', '.join(LAYERS)},")
    print("    with arguments or not: film:residual=False")
    print(f"activations: {', '.join(ACTIVATIONS)}")
    rates = ", ".join(f"{rate:g}" for rate in LEARNING_RATES)
    print(f"learning rates: {rates}, or any other")
    return 0


def _plan(options, cluster):
    """Returns the study that was asked for."""
    from tuning.problems.data import DataSettings
    from tuning.study.cells import select_cells
    from tuning.study.protocol import PROTOCOLS
    from tuning.study.study import Settings
    from tuning.study.study import Study

    protocol = PROTOCOLS[options.protocol]
    if options.save_best and protocol.name == "released":
        raise UserError(
            "--save-best saves no models of --protocol released, which tests "
            "other networks than it trains."
        )
    rates = set(options.learning_rate)
    if "all" in rates:
        rates = {*rates, *protocol.learning_rates} - {"all"}
    train_steps = options.train_steps or protocol.train_steps
    protocol = dataclasses.replace(
        protocol,
        search_steps=options.search_steps or protocol.search_steps,
        train_steps=train_steps,
        check_steps=min(protocol.check_steps, train_steps),
        batch_size=options.batch_size,
        learning_rates=tuple(sorted(rates)),
    )
    try:
        cells = select_cells(
            options.task,
            options.inputs,
            options.network,
            options.activation,
            options.depth,
            range(options.seed, options.seed + options.seeds),
        )
    except ValueError as error:
        raise UserError(str(error)) from error
    if options.shard:
        number, count = options.shard
        if count > len(cells):
            raise UserError(
                f"{len(cells)} cells cannot be divided into {count} parts."
            )
        cells = cells[number - 1 :: count]
    data_dir = options.data_dir
    if cluster and data_dir and not data_dir.startswith("~"):
        # Workers start elsewhere.
        data_dir = os.path.abspath(data_dir)
    return Study(
        options.directory,
        cells,
        Settings(
            protocol,
            DataSettings(data_dir, options.width, options.train_records),
        ),
        options.save_best,
        cluster,
    )


def _search(options, cluster):
    import keras

    from tuning.study.cells import count_trials
    from tuning.study.cells import passed_over
    from tuning.study.device import device_name
    from tuning.study.failures import NAME as FAILURES
    from tuning.study.progress import Progress
    from tuning.study.progress import open_console
    from tuning.study.progress import results_table
    from tuning.study.rows import Status

    study = _plan(options, cluster)
    protocol = study.settings.protocol
    console = open_console()
    for line in passed_over(options.task, options.inputs):
        console.print(line)
    with study.open():
        missing = study.missing()
        trials = sum(count_trials(cell, protocol) for cell in missing)
        where = device_name()
        if cluster:
            count = cluster.jobs_at_once()
            workers = f"{count} worker{'s' * (count != 1)}"
            where = f"{workers}, {cluster.device}"
        console.print(
            f"Backend {keras.config.backend()} on {where}: "
            f"{len(missing)} of {len(study.cells)} cells to run, {trials} "
            f"trials of {protocol.search_steps:,} steps."
        )
        study.prepare()
        with Progress(console, missing, protocol) as progress:
            for event in study.run():
                progress.update(*event)
        rows = study.rows()
    console.print(results_table(rows, console.width))
    console.print(
        f"Results: {study.results.path}\nTrials: {study.trials.path}\n"
        f"A page of them: python -m tuning.report {options.directory}",
        soft_wrap=True,
    )
    if options.save_best:
        console.print(f"Best models: {options.save_best}", soft_wrap=True)
    failed = sum(row.status == Status.FAILED for row in rows)
    if failed:
        console.print(
            f"{failed} cells failed. Tracebacks: {study.directory / FAILURES}",
            style="red",
            soft_wrap=True,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(run_command())
