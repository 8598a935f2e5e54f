"""The command line of the report card: `python -m tuning.card --help`."""

import argparse
import functools
import math
import os
import sys
import time

STARTED = time.monotonic()

DESCRIPTION = """\
Make the report card of a Keras layer: what it learns, what it costs, and which
layers it is like. Several layers, or one with several arguments, make one card
with a column each. The backend is KERAS_BACKEND: jax, tensorflow or torch."""
EXAMPLES = """\
examples:
  python -m tuning.card my_package.my_module:MyLayer
  python -m tuning.card my_module:MyLayer rank=4 my_module:MyLayer rank=8
  python -m tuning.card multiply_unit film residual=False --budget 120"""


def main(arguments=None):
    """Makes a card; returns the process's exit code."""
    # TensorFlow's own greeting is of no use here.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = _parser().parse_args(arguments)
    try:
        layers = layers_of(options.layer)
    except ValueError as error:
        return _fail(error)
    if "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    from tuning.errors import UserError
    from tuning.errors import check_installation
    from tuning.search import check_backend

    try:
        check_backend()
        check_installation()
        return _make(layers, options)
    except KeyboardInterrupt:
        print("\nStopped. No card was made.", file=sys.stderr)
        return 130
    except (UserError, OSError) as error:
        return _fail(error)


def _fail(error):
    print(f"card: error: {error}", file=sys.stderr)
    return 2


def layers_of(words):
    """Returns the texts of layers, each with the arguments that follow it.

    Raises:
        ValueError: An argument stands before any layer.
    """
    layers = []
    for word in words:
        name, equals, _ = word.partition("=")
        if not (equals and name.isidentifier()):
            layers.append((word, []))
        elif layers:
            layers[-1][1].append(word)
        else:
            raise ValueError(
                f"Expected a layer before the argument {word!r}: "
                f"package.module:Layer {word}"
            )
    return [
        f"{layer} {','.join(arguments)}".strip() for layer, arguments in layers
    ]


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message):
        print(f"card: error: {message}", file=sys.stderr)
        sys.exit(2)


def _parser():
    parser = _Parser(
        prog="python -m tuning.card",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "layer",
        nargs="+",
        help="package.module:Layer, or the name of a layer of kmul; "
        "name=value after it is an argument that the layer is made with",
    )
    parser.add_argument(
        "--budget",
        type=_seconds,
        default=60,
        metavar="SECONDS",
        help="how long it may take (default: 60); the card says what was "
        "left out",
    )
    parser.add_argument(
        "--thorough",
        dest="budget",
        action="store_const",
        const=None,
        help="take as long as it needs",
    )
    parser.add_argument(
        "--directory",
        default=".",
        help="where card.html, card.md, card.png and card.json go "
        "(default: here)",
    )
    return parser


def _seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(
            f"expected a positive number of seconds, received {text!r}"
        )
    return value


def _make(layers, options):
    import rich.console

    console = rich.console.Console()
    with console.status("importing Keras"):
        from tuning.cards.progress import Progress
        from tuning.cards.report import report_card
        from tuning.study.imports import hide_tensorflow

        hide_tensorflow()
    with Progress(console, STARTED, options.budget) as progress:
        card = report_card(
            layers, options.budget, progress=progress.tell, started=STARTED
        )
        paths = card.save(options.directory)
    say = functools.partial(console.print, highlight=False, soft_wrap=True)
    for name, sentence in card.verdicts.items():
        say(name, style="bold", markup=False, end=": ")
        say(sentence, markup=False)
    for layer in card.layers:
        for note in card.notes(layer):
            say(note, markup=False)
    seconds = time.monotonic() - STARTED
    say(f"{seconds:.0f} seconds. Written: {', '.join(map(str, paths))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
