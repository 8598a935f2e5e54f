"""Tables of rows in CSV files that lose nothing at any moment."""

import contextlib
import csv
import dataclasses
import io
import os
import pathlib

from tuning.errors import UserError
from tuning.study.files import replace_file
from tuning.study.rows import columns


class Table:
    """Rows of a CSV file, each a dataclass.

    Rows are added at its end, where a line that is cut off counts as not there.
    For any other change the file is replaced as a whole. So whoever reads it,
    and whatever interrupts a writer, finds all rows of some moment.

    Args:
        path: Where the file is, or will be.
        row_class: The dataclass of a row, as `tuning.study.rows.columns` takes
            it. Its fields are the columns.

    Attributes:
        rows: List of the rows.

    Raises:
        ValueError: The file is there and is not such a table.
    """

    def __init__(self, path, row_class):
        self.path = pathlib.Path(path)
        self._row_class = row_class
        self._columns = columns(row_class)
        # As they stand in the file, so that none is turned into text twice.
        self._texts = []
        # Whether rows can be added to the file as it is.
        self._is_open_ended = False
        if self.path.exists():
            self._texts = self._read()
        self._seen = self._status()
        self.rows = [
            self._row(number, texts)
            for number, texts in enumerate(self._texts, 2)
        ]
        self._check_keys()

    def append(self, rows):
        """Adds rows to the file; none of them if that fails."""
        added = list(rows)
        if not (self._is_open_ended and self.path.exists()):
            self._set(range(len(self.rows)), added)
        elif added:
            texts = self._as_texts(added)
            self._add_to_file(texts)
            self._texts += texts
            self.rows += added

    def remove(self, condition):
        """Removes the rows for which `condition(row)` is true."""
        self._set(self._without(condition), [])

    def replace(self, row, condition):
        """Adds a row instead of those for which `condition(row)` is true."""
        self._set(self._without(condition), [row])

    def _without(self, condition):
        return [i for i, row in enumerate(self.rows) if not condition(row)]

    def _set(self, kept, added):
        if len(kept) == len(self.rows) and not added:
            return
        texts = [self._texts[i] for i in kept] + self._as_texts(added)
        self._check_unchanged()
        replace_file(self.path, _as_csv([list(self._columns), *texts]))
        self._seen = self._status()
        self._is_open_ended = True
        self._texts = texts
        self.rows = [self.rows[i] for i in kept] + added

    def _as_texts(self, rows):
        return [
            [
                column.to_text(getattr(row, name))
                for name, column in self._columns.items()
            ]
            for row in rows
        ]

    def _add_to_file(self, texts):
        self._check_unchanged()
        left = memoryview(_as_csv(texts).encode())
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            while left:
                left = left[os.write(file, left) :]
            os.fsync(file)
        except BaseException:
            self._is_open_ended = False
            # If this fails as well, a reader leaves out the line's beginning.
            with contextlib.suppress(OSError):
                os.ftruncate(file, self._seen.st_size)
            self._seen = self._status()
            raise
        finally:
            os.close(file)
        self._seen = self._status()

    def _read(self):
        # Spreadsheets write a mark before the first line.
        text = self.path.read_text(encoding="utf-8-sig", errors="replace")
        whole, newline, rest = text.rpartition("\n")
        try:
            lines = list(csv.reader((whole + newline).splitlines()))
        except csv.Error as error:
            self._refuse(str(error))
        added = self._added(lines[0] if lines else [])
        self._is_open_ended = not rest and not added
        for number, line in enumerate(lines[1:], 2):
            if len(line) != len(lines[0]):
                self._refuse(
                    f"line {number} has {len(line)} fields, not {len(lines[0])}"
                )
        return [line + added for line in lines[1:]]

    def _added(self, names):
        """The texts of columns that a file of an earlier version lacks."""
        columns = list(self._columns.values())
        known, added = columns[: len(names)], columns[len(names) :]
        if names != [column.name for column in known] or any(
            column.default is dataclasses.MISSING for column in added
        ):
            self._refuse("its first line does not name the expected columns")
        return [column.to_text(column.default) for column in added]

    def _row(self, number, texts):
        try:
            return self._row_class(
                **{
                    name: column.from_text(text)
                    for (name, column), text in zip(
                        self._columns.items(), texts, strict=True
                    )
                }
            )
        except ValueError as error:
            self._refuse(f"in line {number}, {error}")

    def _check_keys(self):
        """Rows of a class with a `key` have one each."""
        first = {}
        for number, row in enumerate(self.rows, 2):
            if (
                hasattr(row, "key")
                and first.setdefault(row.key, number) < number
            ):
                self._refuse(
                    f"lines {first[row.key]} and {number} are of one cell"
                )

    def _status(self):
        """Returns the file's status, or None if it is not there."""
        try:
            return self.path.stat()
        except FileNotFoundError:
            return None

    def _refuse(self, problem):
        raise ValueError(
            f"{self.path} is damaged: {problem}. Mend or remove it."
        )

    def _check_unchanged(self):
        now, seen = self._status(), self._seen
        # Whoever has removed it wants it made anew.
        if now is not None and any(
            getattr(now, name) != getattr(seen, name, None)
            for name in ("st_ino", "st_size", "st_mtime_ns")
        ):
            raise UserError(
                f"{self.path} was changed by something else while it was in "
                "use. It stays as it is now; the same command continues from "
                "there."
            )


def _as_csv(lines):
    content = io.StringIO(newline="")
    csv.writer(content, lineterminator="\n").writerows(lines)
    return content.getvalue()
