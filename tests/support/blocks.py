"""Python in docstrings and Markdown files, run as a reader would run it."""

import re
import textwrap


def python_blocks(text):
    """Returns the source of each fenced Python block of a text."""
    found = re.findall(r"^( *)```python\n(.*?)^ *```", text, re.S | re.M)
    return [textwrap.dedent(source) for _, source in found]


def run_blocks(text, names):
    """Runs the blocks of a text one after the other.

    Args:
        text: The text.
        names: Dictionary of the names that the blocks may use, to which they
            add their own.
    """
    for source in python_blocks(text):
        exec(compile(source, "<example>", "exec"), names)
