"""The records that networks are trained and judged on."""

import dataclasses
import functools

import numpy as np

import tasks
from tasks.reasoning_ops import storage
from tasks.reasoning_ops.loading import unpack


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
        return tasks.InputSettings(name, width=self.width, train_records=limit)


class Vectors:
    """Vectors that stay packed until some of them are asked for.

    Args:
        settings: A `tasks.InputSettings`.
        packed: The packed vectors, an array of shape `(records, ...)`.
    """

    def __init__(self, settings, packed):
        self._settings = settings
        self._packed = packed
        self.shape = (len(packed), settings.width)

    def __len__(self):
        return len(self._packed)

    def __getitem__(self, index):
        return unpack(self._settings, np.asarray(self._packed[index]))


@functools.lru_cache(maxsize=16)
def open_inputs(data, inputs, split):
    """Returns `[a, b]`, a split's vectors, prepared on first use."""
    settings = data.inputs(inputs)
    packed = storage.open_packed(settings, split, data.data_dir)
    return [Vectors(settings, each) for each in packed]
