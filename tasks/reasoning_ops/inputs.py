"""The 4 input distributions: how pairs of vectors are drawn and packed.

What is drawn is what is stored: a packed form of each vector, from which its
float32 values are read. Every split of every distribution has a seed, and a
`np.random.default_rng`, of its own.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from tasks._validation import check_integer
from tasks._validation import check_known

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
class InputDistribution:
    """A distribution of vectors; a record is a pair of independent ones.

    Attributes:
        name: The distribution's name.
        seed: Integer, its part of the random seed.
        dtype: NumPy dtype of a packed vector's elements.
        packed_width: Callable from the width of a vector to the number of
            elements of its packed form.
        draw: Callable `(rng, count, width)`, returns `count` packed vectors.
        unpack: Callable `(packed, width)`, returns float32 vectors, or None
            where the packed vectors are that already.
        count: Callable from the width to the number of vectors that can be
            told apart by the first four bytes of their packed form.
    """

    name: str
    seed: int
    dtype: str
    packed_width: Callable[[int], int]
    draw: Callable
    unpack: Callable | None
    count: Callable[[int], int]


def _draw_one_hot(rng, count, width):
    return rng.integers(width, size=(count, 1), dtype=np.uint32)


def _unpack_one_hot(packed, width):
    values = np.zeros((len(packed), width), np.float32)
    np.put_along_axis(values, packed.astype(np.intp), 1, axis=-1)
    return values


def _bytes_of_bits(width):
    return -(-width // 8)


def _draw_many_hot(rng, count, width):
    size = _bytes_of_bits(width)
    packed = np.frombuffer(rng.bytes(count * size), np.uint8)
    packed = packed.reshape(count, size).copy()
    packed[:, -1] &= 256 - (1 << -width % 8)  # no bits beyond the width
    return packed


def _unpack_many_hot(packed, width):
    return np.unpackbits(packed, axis=-1, count=width).astype(np.float32)


def _draw_random(rng, count, width):
    return 2 * _draw_random_pos(rng, count, width) - 1  # exact in float32


def _draw_random_pos(rng, count, width):
    return rng.random((count, width), dtype=np.float32)


def _same(width):
    return width


INPUTS = {
    distribution.name: distribution
    for distribution in (
        InputDistribution(
            "one_hot",
            seed=1,
            dtype="<u4",
            packed_width=lambda width: 1,
            draw=_draw_one_hot,
            unpack=_unpack_one_hot,
            count=_same,
        ),
        InputDistribution(
            "many_hot",
            seed=2,
            dtype="|u1",
            packed_width=_bytes_of_bits,
            draw=_draw_many_hot,
            unpack=_unpack_many_hot,
            count=lambda width: 2 ** min(width, 32),
        ),
        InputDistribution(
            "random",
            seed=3,
            dtype="<f4",
            packed_width=_same,
            draw=_draw_random,
            unpack=None,
            count=lambda width: 2**24,
        ),
        InputDistribution(
            "random_pos",
            seed=4,
            dtype="<f4",
            packed_width=_same,
            draw=_draw_random_pos,
            unpack=None,
            count=lambda width: 2**24,
        ),
    )
}


@dataclasses.dataclass(frozen=True)
class InputSettings:
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

    inputs: str
    width: int = 128
    train_records: int | None = None
    validation_records: int = SPLITS["validation"].records
    test_records: int = SPLITS["test"].records
    seed: int = 0

    def __post_init__(self):
        check_known("inputs", self.inputs, INPUTS)
        for name, minimum in (
            ("width", 1),
            ("validation_records", 1),
            ("test_records", 1),
            ("seed", 0),
        ):
            self._set(name, check_integer(name, getattr(self, name), minimum))
        existing = self.distribution.count(self.width) ** 2
        evaluation = self.validation_records + self.test_records
        if self.train_records is None:
            records = min(SPLITS["train"].records, existing - evaluation)
            self._set("train_records", records)
        else:
            check_integer("train_records", self.train_records, 1)
            self._set("train_records", int(self.train_records))
        if self.train_records < 1 or sum(self.records.values()) > existing:
            raise ValueError(
                f"There are only {existing:,} different records of "
                f"{self.inputs} of width {self.width}, and no record may be "
                f"in two splits or twice in one. Received: "
                f"train_records={max(self.train_records, 1)}, "
                f"validation_records={self.validation_records}, "
                f"test_records={self.test_records}"
            )

    def _set(self, name, value):
        object.__setattr__(self, name, value)

    @property
    def distribution(self):
        return INPUTS[self.inputs]

    @property
    def records(self):
        """The number of records of each split."""
        return {name: getattr(self, f"{name}_records") for name in SPLITS}


def _keys(a, b):
    """One integer for each record: the first four bytes of both vectors."""
    count = len(a)
    keys = np.zeros((count, 8), np.uint8)
    for start, packed in ((0, a), (4, b)):
        head = np.ascontiguousarray(packed[:, :4]).view(np.uint8)[:, :4]
        keys[:, start : start + head.shape[1]] = head
    return keys.view("<u8")[:, 0]


def generate(settings):
    """Draws all splits, in chunks.

    A record is left out if its key has been there before, in the same split
    or in another. Where vectors are wider than their first four bytes this
    leaves out hardly any that are really equal, but none that are equal stay.

    Args:
        settings: An `InputSettings`.

    Yields:
        `(split, a, b)`: the split's name and packed arrays of shape
        `(records, packed_width)`, the next records of that split.
    """
    distribution, width = settings.distribution, settings.width
    seen = set()
    for split in reversed(SPLITS.values()):
        rng = np.random.default_rng(
            [settings.seed, distribution.seed, split.seed]
        )
        missing = settings.records[split.name]
        while missing:
            a = distribution.draw(rng, CHUNK, width)
            b = distribution.draw(rng, CHUNK, width)
            new = []
            for index, key in enumerate(_keys(a, b).tolist()):
                if key not in seen:
                    seen.add(key)
                    new.append(index)
                    if len(new) == missing:
                        break
            missing -= len(new)
            if len(new) == CHUNK:
                yield split.name, a, b
            elif new:
                yield split.name, a[new], b[new]
