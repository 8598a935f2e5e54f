"""The 4 input distributions: how pairs of vectors are drawn and packed.

What is drawn is what is stored: a packed form of each vector, from which its
float32 values are read.
"""

import dataclasses
from collections.abc import Callable

import numpy as np


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
