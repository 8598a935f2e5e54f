"""Which inputs: their number and seeds, and how they are drawn.

Every split of every distribution has a seed, and a `np.random.default_rng`, of
its own.
"""

import dataclasses
from typing import ClassVar

import numpy as np

from tasks._validation import check_known
from tasks.packed.records import by_chunks
from tasks.packed.settings import PackedSettings
from tasks.reasoning_ops.inputs import INPUTS

# Records drawn at once. The bytes that are drawn depend on it: keep it.
CHUNK = 8192


@dataclasses.dataclass(frozen=True)
class Split:
    """A part of the records. Parts are disjoint.

    Attributes:
        name: The split's name.
        records: Number of records by default.
        seed: Integer, its part of the random seed.
    """

    name: str
    records: int
    seed: int


# Drawn in the reverse order, so that the evaluation records stay the same
# whatever the number of training records.
SPLITS = {
    split.name: split
    for split in (
        Split("train", 1_000_000, 1),
        Split("validation", 4_000, 2),
        Split("test", 4_000, 3),
    )
}


@dataclasses.dataclass(frozen=True)
class InputSettings(PackedSettings):
    """Which inputs: everything their bytes depend on.

    Args:
        inputs: Name of the input distribution.
        width: Positive integer, the width of each of the two vectors.
        train_records: Positive integer. Default 1,000,000, or as many as
            there are besides the other splits if that is fewer.
        validation_records: Positive integer.
        test_records: Positive integer.
        seed: Non-negative integer.
    """

    dataset: ClassVar[str] = "reasoning_ops"
    version: ClassVar[str] = "1.0.0"
    splits: ClassVar[tuple[str, ...]] = tuple(SPLITS)

    inputs: str
    width: int = 128
    train_records: int | None = None
    validation_records: int = SPLITS["validation"].records
    test_records: int = SPLITS["test"].records
    seed: int = 0

    def __post_init__(self):
        check_known("inputs", self.inputs, INPUTS)
        self._check_integers(
            width=1, validation_records=1, test_records=1, seed=0
        )
        existing = self.distribution.count(self.width) ** 2
        evaluation = self.validation_records + self.test_records
        if self.train_records is None:
            records = min(SPLITS["train"].records, existing - evaluation)
            self._set("train_records", records)
        else:
            self._check_integers(train_records=1)
        if self.train_records < 1 or sum(self.records.values()) > existing:
            raise ValueError(
                f"There are only {existing:,} different records of "
                f"{self.inputs} of width {self.width}, and no record may be "
                f"in two splits or twice in one. Received: "
                f"train_records={max(self.train_records, 1)}, "
                f"validation_records={self.validation_records}, "
                f"test_records={self.test_records}"
            )

    @property
    def distribution(self):
        return INPUTS[self.inputs]

    def arrays(self):
        width = self.distribution.packed_width(self.width)
        return {side: (self.distribution.dtype, (width,)) for side in "ab"}

    def draw(self, split):
        """Yields the records of a split in parts.

        A record is left out if its key has been there before, in the same
        split or in one that is drawn earlier. Where vectors are wider than
        their first four bytes this leaves out hardly any that are really
        equal, but none that are equal stay.

        Args:
            split: Name of the split.

        Yields:
            Dictionaries of `a` and `b`, packed, of shape `(records,
            packed_width)`: the next records.
        """
        seen = set()
        for each in reversed(SPLITS.values()):
            for a, b in self._draw_new(each, seen):
                if each.name == split:
                    yield {"a": a, "b": b}
            if each.name == split:
                return

    def _draw_new(self, split, seen):
        """Yields records whose keys are not among the `seen`, and adds them."""
        draw, width = self.distribution.draw, self.width
        rng = np.random.default_rng(
            [self.seed, self.distribution.seed, split.seed]
        )
        missing = self.records[split.name]
        while missing:
            a = draw(rng, CHUNK, width)
            b = draw(rng, CHUNK, width)
            new = []
            for index, key in enumerate(_keys(a, b).tolist()):
                if key not in seen:
                    seen.add(key)
                    new.append(index)
                    if len(new) == missing:
                        break
            missing -= len(new)
            if len(new) == CHUNK:
                yield a, b
            elif new:
                yield a[new], b[new]

    def unpack(self, packed):
        unpack = self.distribution.unpack
        if unpack is None:
            return packed
        return by_chunks(
            lambda rows: unpack(rows, self.width),
            (len(packed), self.width),
            np.float32,
            packed,
        )


def _keys(a, b):
    """One integer for each record: the first four bytes of both vectors."""
    count = len(a)
    keys = np.zeros((count, 8), np.uint8)
    for start, packed in ((0, a), (4, b)):
        head = np.ascontiguousarray(packed[:, :4]).view(np.uint8)[:, :4]
        keys[:, start : start + head.shape[1]] = head
    return keys.view("<u8")[:, 0]
