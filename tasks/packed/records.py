"""The lazy readers of packed arrays: columns of them, and records.

Nothing is read before it is asked for. Both are used by those who train on the
records and by TensorFlow Datasets.
"""

import collections.abc
import dataclasses
import functools
import itertools
import operator
import os
from collections.abc import Callable

import numpy as np

from tasks.packed import storage
from tasks.packed.settings import PackedSettings

# Rows worked on at once, which keeps intermediate arrays small.
CHUNK = 8192


class Column:
    """An array that stays packed until some of its rows are asked for.

    Args:
        pieces: List of packed arrays, whose rows follow one another.
        unpack: Callable from packed rows to those of the array.
    """

    def __init__(self, pieces, unpack):
        self._pieces = pieces
        self._ends = list(itertools.accumulate(len(piece) for piece in pieces))
        self._unpack = unpack

    def __len__(self):
        return self._ends[-1]

    @property
    def shape(self):
        return (len(self), *self[:0].shape[1:])

    def __getitem__(self, index):
        """Returns the rows of a slice or of an array of indices.

        Records stored as they are used are not copied for a slice.
        """
        if len(self._pieces) == 1:
            return self._unpack(np.asarray(self._pieces[0][index]))
        indices = np.arange(len(self))[index]
        first = self._pieces[0]
        packed = np.empty((len(indices), *first.shape[1:]), first.dtype)
        number = np.searchsorted(self._ends, indices, side="right")
        for each, piece in enumerate(self._pieces):
            here = number == each
            packed[here] = piece[indices[here] - self._ends[each] + len(piece)]
        return self._unpack(packed)


def open_columns(settings, parts, data_dir=None):
    """Returns the columns of some records, prepared on first use.

    Args:
        settings: A `PackedSettings`.
        parts: Iterable of `(split, start, stop)`, which records, in this order.
        data_dir: Root of all data sets. Default: that of TFDS.

    Returns:
        A dictionary of `Column`s, named as the stored arrays are.
    """
    opened = [
        {
            name: array[start:]
            for name, array in storage.open_packed(
                settings, split, data_dir, stop
            ).items()
        }
        for split, start, stop in parts
    ] or [
        {
            name: np.empty((0, *shape), dtype)
            for name, (dtype, shape) in settings.arrays().items()
        }
    ]
    return {
        name: Column([each[name] for each in opened], settings.unpack)
        for name in settings.arrays()
    }


def open_split(settings, split, data_dir=None, records=None):
    """Returns the columns of a split's first records, of all by default."""
    count = settings.check_records(split, records)
    return open_columns(settings, [(split, 0, count)], data_dir)


def by_chunks(function, shape, dtype, *arrays):
    """Returns `function(*arrays)`, computed some rows at a time.

    Args:
        function: Callable from rows of the arrays to rows of the result.
        shape: Shape of the result.
        dtype: Dtype of the result.
        *arrays: Arrays of as many rows.
    """
    result = np.empty(shape, dtype)
    for start in range(0, len(result), CHUNK):
        part = slice(start, start + CHUNK)
        result[part] = function(*(array[part] for array in arrays))
    return result


@dataclasses.dataclass(frozen=True, eq=False)
class Records(collections.abc.Sequence):
    """Random access to records, read as they are asked for.

    It is a data source as PyGrain and PyTorch's `DataLoader` take it. A pickle
    of it holds no data.

    Args:
        settings: A `PackedSettings`.
        complete: Callable from a dictionary of the stored columns to that of a
            record's.
        parts: Tuple of `(split, start, stop)`, which records, in this order.
        data_dir: Root of all data sets.

    Example:

    >>> source = tfds.data_source("reasoning_ops/dot_random", split="test")
    >>> source[0]["label"].shape
    (1,)
    """

    settings: PackedSettings
    complete: Callable
    parts: tuple[tuple[str, int, int], ...]
    data_dir: os.PathLike | str | None

    def __len__(self):
        return sum(stop - start for _, start, stop in self.parts)

    def __iter__(self):
        for start in range(0, len(self), CHUNK):
            yield from self[start : start + CHUNK]

    def __getitem__(self, key):
        """Returns one record, or those of a slice as a list."""
        if isinstance(key, slice):
            return self.__getitems__(range(*key.indices(len(self))))
        return self.__getitems__([key])[0]

    def __getitems__(self, keys):
        """Returns a list of records, which are dictionaries."""
        batch = self.read(np.array([self._checked(key) for key in keys], int))
        return [
            dict(zip(batch, values, strict=True))
            for values in zip(*batch.values(), strict=True)
        ]

    def read(self, index):
        """Returns many records as one dictionary of arrays.

        Args:
            index: Slice, or array of integers from 0 to the number of records,
                exclusive.
        """
        return self.complete(
            {name: column[index] for name, column in self._columns.items()}
        )

    def _checked(self, key):
        index = operator.index(key)
        if not -len(self) <= index < len(self):
            raise IndexError(
                f"Record {index} is out of range: there are {len(self)}"
            )
        return index % len(self)

    @functools.cached_property
    def _columns(self):
        return open_columns(self.settings, self.parts, self.data_dir)

    def __getstate__(self):
        names = [field.name for field in dataclasses.fields(self)]
        return {name: getattr(self, name) for name in names}
