"""Tables of rows in CSV files that are whole at every moment."""

import csv
import dataclasses
import io
import pathlib

from tuning.errors import UserError
from tuning.study.files import replace_file
from tuning.study.rows import columns


class Table:
    """Rows of a CSV file, each a dataclass.

    The file is replaced as a whole, so that whoever reads it, and whatever
    interrupts a writer, finds all rows of some moment.

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
        self._texts = self._read() if self.path.exists() else []
        self._seen = self._status()
        self.rows = [
            self._row(number, texts)
            for number, texts in enumerate(self._texts, 2)
        ]
        self._check_keys()

    def append(self, rows):
        """Adds rows to the file; none of them if that fails."""
        self._set(range(len(self.rows)), list(rows))

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
        texts = [self._texts[i] for i in kept]
        texts += [
            [
                column.to_text(getattr(row, name))
                for name, column in self._columns.items()
            ]
            for row in added
        ]
        self._write(texts)
        self._texts = texts
        self.rows = [self.rows[i] for i in kept] + added

    def _read(self):
        # Spreadsheets write a mark before the first line.
        text = self.path.read_text(encoding="utf-8-sig", errors="replace")
        try:
            lines = list(csv.reader(text.splitlines()))
        except csv.Error as error:
            self._refuse(str(error))
        added = self._added(lines[0] if lines else [])
        if not text.endswith("\n"):
            self._refuse("its last line is cut off")
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
        """Returns a value that changes when anybody writes to the file."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _refuse(self, problem):
        raise ValueError(
            f"{self.path} is damaged: {problem}. Mend or remove it."
        )

    def _write(self, texts):
        if self._status() not in (None, self._seen):
            raise UserError(
                f"{self.path} was changed by something else while it was in "
                "use. It stays as it is now; the same command continues from "
                "there."
            )
        content = io.StringIO(newline="")
        writer = csv.writer(content, lineterminator="\n")
        writer.writerows([list(self._columns), *texts])
        replace_file(self.path, content.getvalue())
        self._seen = self._status()
