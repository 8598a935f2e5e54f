"""Experiments that are studies, one after the other."""

import argparse


def run_in_turn(name, about, studies, arguments=None):
    """Runs what is missing in studies of one directory, each after the last.

    So the cells of the earlier ones are there first, whenever it is stopped.

    Args:
        name: Name of the experiment.
        about: One sentence on what it does, for `--help`.
        studies: Called on the directory, returns a list of
            `tuning.study.study.Study`s.
        arguments: List of arguments. Default: those of the process.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m experiments.{name}",
        description=f"{about} If you stop it, the same command resumes it.",
    )
    parser.add_argument(
        "--directory",
        default=f"results/{name}",
        help="where to write the results (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    for study in studies(options.directory):
        with study.open():
            if not study.missing():
                continue
            study.prepare()
            for _, kind, row in study.run():
                if kind == "result":
                    print(
                        f"{row.cell}, seed {row.seed}: "
                        f"{row.message or f'accuracy {row.accuracy:.4f}'}",
                        flush=True,
                    )
