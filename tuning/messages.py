"""Messages from outside, in one line that harms nobody."""

import pathlib
import re
import sysconfig

# Characters that a row holds at most; the log has the rest.
LONGEST = 500
_FRAME = re.compile(r'^  File "(.+)", line (\d+)(?:, in .*)?$', re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# JAX and Keras add these to messages.
_ADDED = ("-" * 20, "For simplicity, JAX has removed", "Arguments received by ")
_ROOT = pathlib.Path(__file__).parents[1]
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
    text = one_line(text)
    own = [each for each in frames if not each[1].startswith(_FOREIGN)]
    if own:
        text += f" ({pathlib.Path(own[-1][1]).name}, line {own[-1][2]})"
    return text


def one_line(text, longest=LONGEST):
    """Returns a text as one line that can be printed, stored and shown.

    Without colours and control characters, which a terminal would obey, half
    characters, which no file takes, and formulas of spreadsheets.
    """
    text = _COLOUR.sub("", str(text))
    text = "".join(each if each.isprintable() else " " for each in text)
    text = " ".join(text.split())
    if text.startswith(("=", "+", "-", "@")):
        text = f"'{text}"
    return text if len(text) <= longest else f"{text[:longest]}…"
