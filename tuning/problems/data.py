"""The records that networks are trained and judged on."""

import dataclasses
import functools

import tasks
from tasks.packed.records import open_split


@dataclasses.dataclass(frozen=True)
class DataSettings:
    """Which records: where they are kept, and how many there are.

    Attributes:
        data_dir: Root of all data sets, None for the default of TFDS.
        width: Width of each of the two vectors.
        train_records: Size of the training split, at most; None for all.
    """

    data_dir: str | None = None
    width: int = 128
    train_records: int | None = None

    def inputs(self, name):
        """Returns the settings of an input distribution."""
        settings = tasks.InputSettings(name, width=self.width)
        limit = self.train_records
        if limit is None or limit >= settings.records["train"]:
            return settings
        return dataclasses.replace(settings, train_records=limit)


@functools.lru_cache(maxsize=16)
def open_inputs(data, inputs, split):
    """Returns `[a, b]`, a split's vectors, prepared on first use."""
    columns = open_split(data.inputs(inputs), split, data.data_dir)
    return list(columns.values())
