"""Failures: one line of each in the tables, all of it in a log."""

import datetime
import pathlib
import re
import sysconfig

NAME = "failures.log"
# Characters that a row holds at most; the log has the rest.
LONGEST = 500
_FRAME = re.compile(r'^  File "(.+)", line (\d+), in .*$', re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# JAX and Keras add these to what was raised.
_ADDED = ("-" * 20, "For simplicity, JAX has removed", "Arguments received by ")
_ROOT = pathlib.Path(__file__).parents[2]
# Where the code is that is not the user's.
_FOREIGN = (
    *(f"{_ROOT / name}/" for name in ("kmul", "tasks", "tuning")),
    *(f"{sysconfig.get_path(n)}/" for n in ("stdlib", "purelib", "platlib")),
    "<",
)


def summarize(failure):
    """Returns a failure in one line.

    Args:
        failure: A formatted traceback, or a message; or None.

    Returns:
        The type and message of the exception; and the last line of somebody's
        own code on the way to it, if there is one.
    """
    text = failure or "no message"
    frames = list(_FRAME.finditer(text))
    if frames:
        lines = text[frames[-1].end() :].splitlines()[1:]
        # The frame's source and marks are indented.
        while lines and lines[0].startswith(" "):
            lines.pop(0)
        text = "\n".join(lines)
    for added in _ADDED:
        text = text.partition(added)[0] or text
    text = " ".join(_COLOUR.sub("", text).split())
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}…"
    own = [each for each in frames if not each[1].startswith(_FOREIGN)]
    if own:
        text += f" ({pathlib.Path(own[-1][1]).name}, line {own[-1][2]})"
    return text


def log_failure(directory, what, failure):
    """Adds a failure to the log of a study.

    Args:
        directory: The study's directory.
        what: Which cell or trial it is.
        failure: A formatted traceback, or a message; or None.
    """
    now = datetime.datetime.now().isoformat(" ", "seconds")
    with open(pathlib.Path(directory) / NAME, "a", encoding="utf-8") as file:
        file.write(f"== {now} {what}\n{(failure or '').rstrip()}\n\n")
