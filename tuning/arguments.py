"""Arguments of command lines: what is wrong with one is said in one line."""

import argparse
import math
import pathlib
import sys

from tuning.messages import one_line


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and end in exit code 2.

    That line begins with the last part of the module's name.
    """

    def error(self, message):
        name = self.prog.rpartition(".")[2]
        print(f"{name}: error: {one_line(message, 10_000)}", file=sys.stderr)
        sys.exit(2)


def positive_integer(text):
    try:
        value = integer(text)
    except argparse.ArgumentTypeError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(
            f"expected a positive integer, received {text!r}"
        )
    return value


def integer(text):
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not 0 <= value < 2**31:
        raise argparse.ArgumentTypeError(
            f"expected an integer of 0 or more, received {text!r}"
        )
    return value


def shard(text):
    try:
        number, count = map(positive_integer, text.split("/"))
    except (argparse.ArgumentTypeError, ValueError):
        number, count = 1, 0
    if number > count:
        raise argparse.ArgumentTypeError(
            f"expected I/N, such as 3/16, received {text!r}"
        )
    return number, count


def folder(text):
    try:
        pathlib.Path(text).expanduser()
    except RuntimeError:
        raise argparse.ArgumentTypeError(
            f"there is no such home directory, received {text!r}"
        ) from None
    if not text:
        raise argparse.ArgumentTypeError("expected a path, received ''")
    return text


def positive_number(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(
            f"expected a finite number above 0, received {text!r}"
        )
    return value
