import dataclasses
import errno
import os

import pytest

from tuning.errors import UserError
from tuning.study.table import Table


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    score: float | None = None
    message: str = ""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "table.csv"


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def row(name="a", score=0.5, message=""):
    return Row(name, score, message)


def test_rows_are_there_again(path):
    table = Table(path, Row)
    assert table.rows == []
    assert not path.exists()
    table.append([row("a"), row("b", 1 / 3)])
    table.append([Row("c")])
    assert path.read_text() == (
        "name,score,message\na,0.5,\nb,0.333333333,\nc,,\n"
    )
    assert Table(path, Row).rows == [
        row("a"),
        row("b", 0.333333333),
        Row("c"),
    ]


@pytest.mark.parametrize(
    "message",
    [
        "two\nlines",
        'commas, "quotes", and\ttabs',
        "carriage\rreturn",
        "line\u2028separator and \x0b vertical tab",
        "größer ≥ 1",
        "'; DROP TABLE",
        "",
        ",",
        '"',
    ],
)
def test_any_message_stays_in_one_line(message, path):
    Table(path, Row).append([row(message=message), row("b")])
    assert len(path.read_text().splitlines()) == 3
    rows = Table(path, Row).rows
    assert rows[0].message == " ".join(message.split())
    assert rows[1].name == "b"


@pytest.mark.parametrize(
    "value", [1e-6, 100.0, 1e38, float("nan"), float("inf"), 0.1 + 0.2, 12345]
)
def test_numbers_are_read_as_they_were(value, path):
    Table(path, Row).append([row(score=value)])
    read = float(Table(path, Row).rows[0].score)
    assert read == pytest.approx(value, rel=1e-8, nan_ok=True)


def test_remove(path):
    table = Table(path, Row)
    table.append([row("a"), row("b"), row("c")])
    table.remove(lambda each: each.name == "b")
    assert [each.name for each in table.rows] == ["a", "c"]
    assert Table(path, Row).rows == table.rows


def test_removing_nothing_writes_nothing(path):
    table = Table(path, Row)
    table.append([row()])
    before = path.stat().st_ino
    table.remove(lambda each: False)
    assert path.stat().st_ino == before


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_disk_full(function, path, monkeypatch):
    """What was there stays, in the file and in memory, and nothing else."""
    table = Table(path, Row)
    table.append([row("a")])
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, function, full)
        if function != "replace":
            with pytest.raises(OSError, match="No space left"):
                table.append([row("b")])
        with pytest.raises(OSError, match="No space left"):
            table.remove(lambda each: True)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]
    assert [each.name for each in table.rows] == ["a"]
    table.append([row("b")])
    assert [each.name for each in Table(path, Row).rows] == ["a", "b"]


def test_a_reader_never_sees_half_a_table(path, monkeypatch):
    """The file in place is whole whenever anything is written."""
    table = Table(path, Row)
    table.append([row("a")])
    seen = []
    fsync = os.fsync
    monkeypatch.setattr(
        os,
        "fsync",
        lambda handle: (fsync(handle), seen.append(Table(path, Row).rows)),
    )
    table.append([row("b")])
    table.remove(lambda each: each.name == "a")
    assert [[each.name for each in rows] for rows in seen] == [
        ["a", "b"],
        ["a", "b"],
    ]


@pytest.mark.backends("torch")
def test_appending_takes_time_linear_in_the_rows(path, monkeypatch):
    """Nothing that is there is written again."""
    written, write = [], os.write
    monkeypatch.setattr(os, "fsync", lambda file: None)
    monkeypatch.setattr(
        os, "write", lambda *each: written.append(write(*each)) or written[-1]
    )
    table = Table(path, Row)
    table.append([row("first")])
    start, inode = path.stat().st_size, path.stat().st_ino
    for number in range(100_000):
        table.append([row(str(number))])
    assert path.stat().st_ino == inode
    assert len(written) == 100_000 and max(written) < 20
    assert sum(written) == path.stat().st_size - start
    assert Table(path, Row).rows == table.rows


def test_a_line_that_is_cut_off_is_not_there(path):
    text = "name,score,message\na,0.5,\nb,0.25,"
    path.write_text(text)
    table = Table(path, Row)
    assert table.rows == [row("a")] and path.read_text() == text
    table.append([row("c"), row("d")])
    assert Table(path, Row).rows == [row("a"), row("c"), row("d")]
    # The write stops in the middle of a line, and can't be undone.
    with pytest.MonkeyPatch.context() as patch:
        write = os.write
        patch.setattr(os, "ftruncate", full)
        patch.setattr(
            os, "write", lambda file, data: write(file, data[:4]) and full()
        )
        with pytest.raises(OSError, match="No space left"):
            table.append([row("torn")])
    assert path.read_text().endswith("\ntorn")
    assert Table(path, Row).rows == table.rows
    table.append([row("e")])
    assert Table(path, Row).rows == table.rows
    assert len(table.rows) == 4


DAMAGED = {
    "empty": ("", "its first line does not name the expected columns"),
    "other columns": (
        "name,points\na,1\n",
        "its first line does not name the expected columns",
    ),
    "binary": ("\x00\x01", "its first line does not name the expected columns"),
    "cut in the first line": (
        "name,score,message",
        "its first line does not name the expected columns",
    ),
    "missing field": (
        "name,score,message\na,0.5,\nb,1\n",
        "line 3 has 2 fields, not 3",
    ),
    "extra field": (
        "name,score,message\na,0.5,,\n",
        "line 2 has 4 fields, not 3",
    ),
    "no number": (
        "name,score,message\na,0.5,\nb,much,\n",
        "in line 3, score is 'much', not a number",
    ),
    "blank line": (
        "name,score,message\n\na,0.5,\n",
        "line 2 has 0 fields, not 3",
    ),
}


@pytest.mark.parametrize("text, problem", DAMAGED.values(), ids=DAMAGED)
def test_damaged(text, problem, path):
    path.write_text(text)
    with pytest.raises(ValueError) as caught:
        Table(path, Row)
    assert str(caught.value) == (
        f"{path} is damaged: {problem}. Mend or remove it."
    )
    assert path.read_text() == text


def test_a_long_field_and_a_row_twice(path):
    path.write_text(f"name,score,message\na,0.5,{'x' * 200_000}\n")
    with pytest.raises(ValueError, match="is damaged: field larger than"):
        Table(path, Row)

    class Keyed(Row):
        key = property(lambda self: self.name)

    path.write_text("name,score,message\na,1,\nb,1,\na,2,\n")
    with pytest.raises(ValueError, match="lines 2 and 4 are of one cell"):
        Table(path, Keyed)


def test_what_a_spreadsheet_has_saved(path):
    path.write_text("\ufeffname,score,message\na,0.5,\n", encoding="utf-8")
    assert Table(path, Row).rows == [row("a")]


def test_what_somebody_else_writes_stays(path):
    table = Table(path, Row)
    table.append([row("a")])
    path.write_text("name,score,message\nb,0.5,\n")
    with pytest.raises(UserError, match="was changed by something else"):
        table.append([row("c")])
    assert Table(path, Row).rows == [row("b")]


def test_replace(path):
    table = Table(path, Row)
    table.append([row("a"), row("b")])
    table.replace(row("c"), lambda each: each.name == "a")
    assert Table(path, Row).rows == table.rows == [row("b"), row("c")]


def test_not_text(path):
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="its first line does not name"):
        Table(path, Row)
    assert path.read_bytes() == b"\xff\xfe\x00"


def test_truncated_anywhere(path):
    """However a table is cut, it is refused or has lost its last rows only."""
    Table(path, Row).append([row("a"), row("b", 2.5, "why, this")])
    whole = path.read_bytes()
    rows = Table(path, Row).rows
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        try:
            read = Table(path, Row).rows
        except ValueError:
            continue
        assert read == rows[: whole[:size].count(b"\n") - 1]


@dataclasses.dataclass(frozen=True)
class LaterRow(Row):
    protocol: str = "article"


def test_columns_that_an_earlier_version_lacks(path):
    Table(path, Row).append([row()])
    (found,) = Table(path, LaterRow).rows
    assert found == LaterRow("a", 0.5, "", "article")


def test_a_column_without_a_default_is_missed(path):
    path.write_text("name\na\n")
    later = dataclasses.make_dataclass(
        "Later", [("name", str), ("score", float)]
    )
    with pytest.raises(ValueError, match="expected columns"):
        Table(path, later)
