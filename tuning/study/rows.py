"""The rows of a study's tables: a column is a field of a dataclass.

Names, order, headings and formats of the columns are written here and nowhere
else. `tuning.study.table` keeps rows in CSV files.
"""

import dataclasses
import enum
import json
import types
import typing


class Status(enum.StrEnum):
    """How a row's training ended."""

    DONE = "done"
    # It is done, and a constant is nearly always right.
    TRIVIAL = "trivial"
    # The loss was not finite.
    DIVERGED = "diverged"
    FAILED = "failed"


def _column(heading=None, format="{}", **kwargs):
    """A field that says how it is shown."""
    metadata = {"heading": heading, "format": format}
    return dataclasses.field(metadata=metadata, **kwargs)


@dataclasses.dataclass(frozen=True)
class Cell:
    """A network of one depth, activation and seed on one task and inputs."""

    task: str
    inputs: str
    network: str
    depth: int
    activation: str
    seed: int

    def __str__(self):
        return (
            f"{self.task} on {self.inputs}: {self.network}, depth "
            f"{self.depth}, {self.activation}"
        )


class _Row:
    """What results and trials share."""

    @classmethod
    def of(cls, cell, **values):
        """Returns the row of a cell."""
        return cls(**dataclasses.asdict(cell), **values)

    @property
    def cell(self):
        return Cell(
            *(getattr(self, each.name) for each in dataclasses.fields(Cell))
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result(Cell, _Row):
    """What became of a cell: a row of `results.csv`.

    Attributes:
        accuracy: On the test records, as `loss` is.
        constant_accuracy: That of the best constant.
        skill: Where the accuracy is between the constant, 0, and perfect, 1;
            None if the constant is perfect.
        learning_rate: The best of the trials.
        steps: Steps of the training from scratch.
        seconds: Duration of its trials and training.
        parameters: Number of the network's parameters.
        status: `DONE`, `TRIVIAL` or `FAILED`.
        message: Why it failed, or a remark.
        choices: The best of the network's own hyperparameters.
        success: 1 or 0, whether the problem counts as solved; None where no
            score counts as that.
        relative_loss: The loss as a share of that of the best constant.
        protocol: Name of the `Protocol`.
        accuracy_with_skips: That of the same weights with the network's skip
            connections, where `accuracy` is without, as in the protocol
            `released`.
    """

    accuracy: float | None = _column(format="{:.4f}", default=None)
    loss: float | None = _column(format="{:.3g}", default=None)
    constant_accuracy: float | None = _column(
        "constant", "{:.4f}", default=None
    )
    skill: float | None = _column(format="{:.3f}", default=None)
    learning_rate: float | None = _column("rate", "{:g}", default=None)
    steps: int | None = _column(format="{:,.0f}", default=None)
    seconds: float | None = _column(format="{:,.1f}", default=None)
    parameters: int | None = _column(format="{:,.0f}", default=None)
    backend: str = ""
    device: str = ""
    status: Status
    message: str = ""
    choices: str = _column("chosen", default="")
    success: int | None = _column(format="{:.2f}", default=None)
    relative_loss: float | None = _column(
        "loss / constant", "{:.3g}", default=None
    )
    protocol: str = "article"
    accuracy_with_skips: float | None = _column(
        "with skips", "{:.4f}", default=None
    )

    def __post_init__(self):
        if self.status != Status.FAILED and self.accuracy is None:
            raise ValueError(f"a row that is {self.status} has no accuracy")

    @property
    def key(self):
        """A value that only one row has."""
        return self.cell


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial(Cell, _Row):
    """One learning rate, tried: a row of `trials.csv`.

    Attributes:
        accuracy: On the validation records, as `loss` is.
        status: `DONE`, `DIVERGED` or `FAILED`.
        message: Why it failed.
        choices: The network's own hyperparameters.
    """

    learning_rate: float = _column("rate", "{:g}")
    accuracy: float | None = _column(format="{:.4f}", default=None)
    loss: float | None = _column(format="{:.3g}", default=None)
    steps: int | None = _column(format="{:,.0f}", default=None)
    status: Status
    message: str = ""
    choices: str = _column("chosen", default="")


@dataclasses.dataclass(frozen=True)
class Column:
    """A field of a row, as a column.

    Attributes:
        name: Name of the field.
        heading: What stands above it where it is shown.
        format: How a value is shown, a format string.
        type: Type of its values.
        optional: Whether a value may be None.
        default: The value of rows of before there was this column.
    """

    name: str
    heading: str
    format: str
    type: type
    optional: bool
    default: object = dataclasses.MISSING

    @property
    def is_number(self):
        return self.type in (int, float)

    def show(self, value):
        """Returns a value as people read it."""
        return "" if value is None else self.format.format(value)

    def to_text(self, value):
        """Returns a value as a CSV file holds it."""
        if value is None:
            return ""
        if isinstance(value, float):
            return f"{value:.9g}"
        if isinstance(value, list):
            return json.dumps(value)
        # A message in one line keeps a row in one line.
        return " ".join(str(value).split())

    def from_text(self, text):
        """Returns the value that a CSV file holds.

        Raises:
            ValueError: It is none of this column.
        """
        if self.optional and not text.strip():
            return None
        try:
            if self.type is bool:
                return {"True": True, "False": False}[text]
            if self.type is list:
                return json.loads(text)
            return self.type(text)
        except (KeyError, RecursionError, ValueError) as error:
            raise ValueError(
                f"{self.name} is {text!r}, not {self._expected}"
            ) from error

    @property
    def _expected(self):
        if issubclass(self.type, enum.Enum):
            return f"one of {', '.join(self.type)}"
        return {
            int: "an integer",
            float: "a number",
            bool: "True or False",
            list: "a list",
        }[self.type]


def columns(row_class):
    """Returns the `Column`s of a dataclass, by name.

    Args:
        row_class: Its fields are of type `str`, `int`, `float`, `bool`, a list
            of numbers or an enum, each alone or with None.
    """
    found = {}
    for field in dataclasses.fields(row_class):
        kinds = (field.type,)
        if isinstance(field.type, types.UnionType):
            kinds = typing.get_args(field.type)
        found[field.name] = Column(
            field.name,
            field.metadata.get("heading") or field.name,
            field.metadata.get("format", "{}"),
            typing.get_origin(kinds[0]) or kinds[0],
            types.NoneType in kinds,
            field.default,
        )
    return found
