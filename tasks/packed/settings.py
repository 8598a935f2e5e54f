"""The settings that the stored arrays of a data set depend on."""

import dataclasses
import json
from typing import ClassVar

from tasks._validation import check_integer
from tasks._validation import check_known


class PackedSettings:
    """Base of the settings of a data set.

    A subclass is a frozen dataclass that holds all that the stored arrays
    depend on. It has a field `<split>_records` for every split.

    Attributes:
        dataset: Name of the data set.
        version: Version of the arrays, the same for as long as their bytes are.
        splits: Names of the splits.
    """

    dataset: ClassVar[str]
    version: ClassVar[str]
    splits: ClassVar[tuple[str, ...]]

    def arrays(self):
        """Returns the arrays of a split: name → dtype and shape of a row."""
        raise NotImplementedError

    def draw(self, split):
        """Yields the rows of a split in parts: dictionaries of arrays."""
        raise NotImplementedError

    def unpack(self, packed):
        """Returns rows as they are used, of rows as they are stored."""
        return packed

    @property
    def records(self):
        """The number of records of each split."""
        return {name: getattr(self, f"{name}_records") for name in self.splits}

    @property
    def directory_name(self):
        """Name of the directory of the arrays, different for all settings."""
        values = []
        for value in dataclasses.asdict(self).values():
            values.extend(value if isinstance(value, tuple) else [value])
        return "-".join(map(str, values))

    def as_json(self):
        """Returns the settings as they are read from a JSON file."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def check_records(self, split, records=None):
        """Returns how many records of a split to read: all if it is None."""
        existing = self.records[check_known("split", split, self.splits)]
        if records is None:
            return existing
        if check_integer("records", records, 1) > existing:
            raise ValueError(
                f"The {split} split has {existing:,} records. "
                f"Received: records={records}"
            )
        return int(records)

    def _check_integers(self, **minima):
        """Makes these fields integers, each of at least its minimum."""
        for name, minimum in minima.items():
            self._set(name, check_integer(name, getattr(self, name), minimum))

    def _set(self, name, value):
        object.__setattr__(self, name, value)
