"""Which vectors, how they are drawn, and the two subsets that are summed."""

import dataclasses
import math
import numbers
from typing import ClassVar

import numpy as np

from tasks.packed.settings import PackedSettings

# The number of each split's random stream.
SPLITS = {"train": 0, "validation": 1, "interpolation": 2, "extrapolation": 3}
SUBSETS_STREAM = 4


@dataclasses.dataclass(frozen=True)
class ArithmeticSettings(PackedSettings):
    """Sizes and ranges of the data: everything the vectors depend on.

    Args:
        size: Positive integer, the number of elements of a vector.
        subset_ratio: Number above 0 and up to 1, the share of the elements
            that is in each of the two subsets, rounded down.
        overlap_ratio: Number from 0 to below 1, the share of a subset that is
            also in the other one, rounded down.
        training_range: Tuple of two numbers, between which elements are
            uniform in all splits but `"extrapolation"`.
        extrapolation_range: Tuple of two numbers, likewise for the split
            `"extrapolation"`.
        train_records: Positive integer.
        validation_records: Positive integer.
        interpolation_records: Positive integer.
        extrapolation_records: Positive integer.
        seed: Non-negative integer. It sets the vectors and where the subsets
            are.
    """

    dataset: ClassVar[str] = "arithmetic_ops"
    version: ClassVar[str] = "1.0.1"
    splits: ClassVar[tuple[str, ...]] = tuple(SPLITS)

    size: int = 100
    subset_ratio: float = 0.25
    overlap_ratio: float = 0.5
    training_range: tuple[float, float] = (1.0, 2.0)
    extrapolation_range: tuple[float, float] = (2.0, 6.0)
    train_records: int = 64_000
    validation_records: int = 10_000
    interpolation_records: int = 10_000
    extrapolation_records: int = 10_000
    seed: int = 0

    def __post_init__(self):
        counts = {f"{split}_records": 1 for split in SPLITS}
        self._check_integers(size=1, **counts, seed=0)
        if not _is_number(self.subset_ratio) or not 0 < self.subset_ratio <= 1:
            raise ValueError(
                "Invalid value for argument `subset_ratio`. Expected a number "
                "above 0 and up to 1. "
                f"Received: subset_ratio={self.subset_ratio!r}"
            )
        if not _is_number(self.overlap_ratio) or not (
            0 <= self.overlap_ratio < 1
        ):
            raise ValueError(
                "Invalid value for argument `overlap_ratio`. Expected a number "
                "from 0 to below 1. "
                f"Received: overlap_ratio={self.overlap_ratio!r}"
            )
        for name in ("training_range", "extrapolation_range"):
            self._set(name, _checked_range(name, getattr(self, name)))
        for name in ("subset_ratio", "overlap_ratio"):
            self._set(name, float(getattr(self, name)))
        if self.subset_size < 1:
            raise ValueError(
                "Invalid value for argument `subset_ratio`. Expected at least "
                f"one of {self.size} elements in a subset. "
                f"Received: subset_ratio={self.subset_ratio}"
            )
        if self.span > self.size:
            raise ValueError(
                "Invalid value for argument `subset_ratio`. Expected two "
                f"subsets that fit into {self.size} elements. Received: "
                f"subset_ratio={self.subset_ratio}, "
                f"overlap_ratio={self.overlap_ratio}, which take {self.span}"
            )

    @property
    def subset_size(self):
        """How many elements are summed."""
        return _share(self.subset_ratio, self.size)

    @property
    def overlap_size(self):
        """How many elements are in both sums."""
        return _share(self.overlap_ratio, self.subset_size)

    @property
    def span(self):
        """How many elements are in at least one of the sums."""
        return 2 * self.subset_size - self.overlap_size

    @property
    def subsets(self):
        """The slices of a vector that are the first and second subset."""
        rng = np.random.default_rng([self.seed, SUBSETS_STREAM])
        first = int(rng.integers(self.size - self.span + 1))
        second = first + self.subset_size - self.overlap_size
        return tuple(
            slice(start, start + self.subset_size) for start in (first, second)
        )

    def range(self, split):
        """The lowest and highest value of an element."""
        if split == "extrapolation":
            return self.extrapolation_range
        return self.training_range

    def arrays(self):
        return {"x": ("<f4", (self.size,))}

    def draw(self, split):
        yield {"x": self.sample(split)}

    def sample(self, split):
        """Draws the vectors of a split, float32 of shape `(records, size)`."""
        rng = np.random.default_rng([self.seed, SPLITS[split]])
        low, high = np.float32(self.range(split))
        x = rng.random((self.records[split], self.size), np.float32)
        x *= high - low
        x += low
        return x

    def sums(self, x):
        """Returns the two sums, float64 of shape `(records, 1)` each."""
        return tuple(
            x[:, subset].sum(axis=1, keepdims=True, dtype=np.float64)
            for subset in self.subsets
        )


def _share(ratio, count):
    # 0.29 · 100 is a little below 29 in floating point.
    return math.floor(ratio * count + 1e-9)


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _checked_range(name, value):
    if (
        not isinstance(value, tuple | list)
        or len(value) != 2
        or not all(_is_number(each) and math.isfinite(each) for each in value)
        or not value[0] < value[1]
    ):
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected two numbers, the "
            f"lower one first. Received: {name}={value!r}"
        )
    return tuple(map(float, value))
