import traceback

import pytest

from tuning.messages import one_line
from tuning.messages import summarize
from tuning.study import failures
from tuning.study.failures import log_failure


def failure(raises, file="/home/me/mine.py"):
    """Returns the traceback of somebody's code."""
    code = compile(raises, file, "exec")
    try:
        exec(code, {})
    except Exception:
        return traceback.format_exc()


JAX = """\
e = ValueError("the shapes don't fit")
e.add_note(
    "--------------------\\nFor simplicity, JAX has removed its internal "
    "frames from the traceback of the following exception. Set "
    "JAX_TRACEBACK_FILTERING=off to include these."
)
raise e
"""
KERAS = (
    "raise ValueError('Exception encountered when calling Mine.call().\\n\\n"
    "\\x1b[1mthe shapes\\x1b[0m\\n\\nArguments received by Mine.call():\\n  • "
    "inputs=1')"
)


@pytest.mark.parametrize(
    "text, summary",
    [
        ("the process died with exit code 7", None),
        (None, "no message"),
        (failure("1 / 0"), "ZeroDivisionError: division by zero"),
        (failure("raise ValueError('a\\n  b\\n\\nc')"), "ValueError: a b c"),
        (failure("assert False"), "AssertionError"),
        (failure(JAX), "ValueError: the shapes don't fit"),
        (
            failure(KERAS),
            "ValueError: Exception encountered when calling Mine.call(). the "
            "shapes",
        ),
        (failure("try: 1 / 0\nexcept Exception: int('x')"), "ValueError: inva"),
    ],
)
def test_summary_is_the_type_and_the_message(text, summary):
    line = summarize(text)
    assert line.startswith(summary or text)
    assert "\n" not in line and "\x1b" not in line


def test_summary_names_the_line_of_somebodys_own_code():
    text = failure("import json\n\njson.loads('{')")
    assert summarize(text).endswith(" (mine.py, line 3)")
    text = text.replace("/home/me/mine.py", failures.__file__)
    text = text.replace(__file__, failures.__file__)
    assert summarize(text).endswith("(char 1)")


def test_a_long_message_is_cut():
    line = summarize(failure("raise ValueError('x' * 10_000)"))
    assert len(line) < 600 and "x…" in line


@pytest.mark.parametrize(
    "text, line",
    [
        ("[/bold] \x1b[31mred\x1b[0m \x07bell", "[/bold] red bell"),
        ("half \ud800 of one", "half of one"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("two\u2028lines\n", "two lines"),
        ("größer ≥ 1", "größer ≥ 1"),
    ],
)
def test_one_line(text, line):
    assert one_line(text) == line


def test_log_keeps_all_of_it(tmp_path):
    text = failure(JAX)
    log_failure(tmp_path, "this cell", text)
    log_failure(tmp_path, "that cell", None)
    log = (tmp_path / failures.NAME).read_text()
    assert text.strip() in log
    assert log.index("this cell") < log.index("that cell")
