"""Records one at a time or many, in any order."""

import collections.abc
import dataclasses
import functools
import itertools
import operator
import os

import numpy as np

from tasks.reasoning_ops import storage
from tasks.reasoning_ops.inputs import InputSettings
from tasks.reasoning_ops.loading import unpack
from tasks.reasoning_ops.operations import OPERATIONS


@dataclasses.dataclass(frozen=True, eq=False)
class Records(collections.abc.Sequence):
    """Random access to the records of one task, read as they are asked for.

    It is a data source as PyGrain and PyTorch's `DataLoader` take it. A pickle
    of it holds no data.

    Args:
        task: Name of an operation.
        settings: An `InputSettings`.
        data_dir: Root of all data sets.
        parts: Tuple of `(split, start, stop)`, which records, in this order.

    Example:

    >>> source = tfds.data_source("reasoning_ops/dot_random", split="test")
    >>> source[0]["label"].shape
    (1,)
    """

    task: str
    settings: InputSettings
    data_dir: os.PathLike | str | None
    parts: tuple[tuple[str, int, int], ...]

    def __len__(self):
        return self._ends[-1] if self.parts else 0

    def __getitem__(self, key):
        """Returns one record, or those of a slice as a list."""
        if isinstance(key, slice):
            return self.__getitems__(range(*key.indices(len(self))))
        return self.__getitems__([key])[0]

    def __getitems__(self, keys):
        """Returns a list of records: dictionaries of `a`, `b` and `label`."""
        batch = self.read([self._checked(key) for key in keys])
        return [
            dict(zip(batch, values, strict=True))
            for values in zip(*batch.values(), strict=True)
        ]

    def read(self, indices):
        """Returns many records as one dictionary of arrays.

        Args:
            indices: Integers from 0 to the number of records, exclusive.
        """
        indices = np.asarray(indices, np.intp)
        width = self.settings.distribution.packed_width(self.settings.width)
        dtype = self.settings.distribution.dtype
        packed = [np.empty((len(indices), width), dtype) for _ in storage.SIDES]
        part = np.searchsorted(self._ends, indices, side="right")
        for number in np.unique(part):
            here = part == number
            split, start, _ = self.parts[number]
            first = self._ends[number - 1] if number else 0
            rows = indices[here] - first + start
            for target, source in zip(packed, self._open(split), strict=True):
                target[here] = source[rows]
        a, b = (unpack(self.settings, each) for each in packed)
        return {"a": a, "b": b, "label": OPERATIONS[self.task].label(a, b)}

    def _checked(self, key):
        index = operator.index(key)
        if not -len(self) <= index < len(self):
            raise IndexError(
                f"Record {index} is out of range: there are {len(self)}"
            )
        return index % len(self)

    @functools.cached_property
    def _ends(self):
        return list(
            itertools.accumulate(stop - start for _, start, stop in self.parts)
        )

    @functools.cached_property
    def _opened(self):
        return {}

    def _open(self, split):
        if split not in self._opened:
            self._opened[split] = storage.open_packed(
                self.settings, split, self.data_dir
            )
        return self._opened[split]

    def __getstate__(self):
        names = [field.name for field in dataclasses.fields(self)]
        return {name: getattr(self, name) for name in names}
