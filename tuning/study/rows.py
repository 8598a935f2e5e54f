"""Tables of rows in CSV files that are whole at every moment."""

import csv
import os
import pathlib

RESULT_COLUMNS = (
    "task",
    "inputs",
    "network",
    "depth",
    "activation",
    "seed",
    "accuracy",
    "loss",
    "constant_accuracy",
    "skill",
    "learning_rate",
    "steps",
    "seconds",
    "parameters",
    "backend",
    "device",
    "status",
    "message",
    "choices",
    "success",
)
TRIAL_COLUMNS = (
    "task",
    "inputs",
    "network",
    "depth",
    "activation",
    "seed",
    "learning_rate",
    "accuracy",
    "loss",
    "steps",
    "status",
    "message",
    "choices",
)


class Table:
    """Rows of a CSV file, each a dictionary.

    The file is replaced as a whole, so that whoever reads it, and whatever
    interrupts a writer, finds all rows of some moment.

    Args:
        path: Where the file is, or will be.
        columns: Names of the columns.

    Raises:
        ValueError: The file is there and is not such a table.
    """

    def __init__(self, path, columns):
        self.path = pathlib.Path(path)
        self.columns = tuple(columns)
        self.rows = self._read() if self.path.exists() else []

    def append(self, rows):
        """Adds rows to the file; none of them if that fails."""
        rows = [
            {name: _text(row.get(name, "")) for name in self.columns}
            for row in rows
        ]
        self._write(self.rows + rows)
        self.rows += rows

    def remove(self, condition):
        """Removes the rows for which `condition(row)` is true."""
        kept = [row for row in self.rows if not condition(row)]
        if len(kept) < len(self.rows):
            self._write(kept)
            self.rows = kept

    def _read(self):
        text = self.path.read_text(encoding="utf-8", errors="replace")
        rows = list(csv.reader(text.splitlines()))
        problem = None
        if not rows or tuple(rows[0]) != self.columns:
            problem = "its first line does not name the expected columns"
        elif not text.endswith("\n"):
            problem = "its last line is cut off"
        else:
            for number, row in enumerate(rows[1:], 2):
                if len(row) != len(self.columns):
                    problem = (
                        f"line {number} has {len(row)} fields, not "
                        f"{len(self.columns)}"
                    )
                    break
        if problem:
            raise ValueError(
                f"{self.path} is damaged: {problem}. Mend or remove it."
            )
        return [dict(zip(self.columns, row, strict=True)) for row in rows[1:]]

    def _write(self, rows):
        # Whoever writes holds the directory's lock, so one name is enough.
        temporary = self.path.with_name(f".{self.path.name}.new")
        try:
            with open(temporary, "w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, self.columns, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def as_file_name(text):
    """Returns a name without the separators of tasks and modules."""
    return text.translate(str.maketrans("/:", ".."))


def _text(value):
    if isinstance(value, float):
        return f"{value:.9g}"
    # A message in one line keeps a row in one line.
    return " ".join(str(value).split())
