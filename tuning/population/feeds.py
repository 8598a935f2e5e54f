"""Batches for `fit_as_keras`: as Keras reads them, in pieces for a fold."""

import dataclasses
import itertools
import math
from collections.abc import Callable

import keras
import numpy as np

from tuning.population import batches
from tuning.population.population import STEPS_PER_CALL

NAMES = ("x", "y", "sample_weight")


@dataclasses.dataclass(frozen=True)
class Stream:
    """Data that come in batches.

    Attributes:
        source: The object that they come from.
        read: Called as `read(rng)`; returns an iterator over a pass of tuples
            `(x, y, sample_weight)` of nested NumPy arrays, the last or None.
            Where the order is drawn here, it is drawn from `rng`.
        num_batches: Integer, how many there are in a pass, if known.
        peek: Called as `peek()`; returns a first batch, which is still read.
            Default: that of a pass of its own.
    """

    source: object
    read: Callable
    num_batches: int | None
    peek: Callable | None = None

    def example(self):
        """Returns a batch."""
        if self.peek is not None:
            return self.peek()
        return next(iter(self.read(None)))


def feed(data, batch_size, steps, rng):
    """Returns an object that gives the batches of one epoch after another.

    Args:
        data: Tuple `(x, y, sample_weight)` of nested NumPy arrays, the last or
            None; or a `Stream`.
        batch_size: Positive integer, for arrays.
        steps: Positive integer, the batches of an epoch, if not a pass.
        rng: The generator of orders, or None for the order of the records.
    """
    if not isinstance(data, Stream):
        arrays = _Arrays(data, batch_size, rng)
        if steps is None:
            return arrays
        data = Stream(data, arrays.read, len(arrays))
    return _Steps(data, steps, rng)


def until(interrupted, batches):
    """Yields batches, and raises an exception once an event is set.

    Args:
        interrupted: A `threading.Event`, or None.
        batches: Iterable.
    """
    for batch in batches:
        check(interrupted)
        yield batch


def check(interrupted):
    if interrupted is not None and interrupted.is_set():
        raise RuntimeError("The training was interrupted.")


class _Arrays:
    """Cuts arrays into the batches of an epoch, many in one piece."""

    def __init__(self, data, batch_size, rng):
        self._data = _named(data)
        self._size = batch_size
        self._rng = rng
        self._count = len(keras.tree.flatten(self._data["x"])[0])

    def __len__(self):
        return math.ceil(self._count / self._size)

    def example(self):
        return tuple(
            keras.tree.map_structure(
                lambda each: each[: self._size], self._data[name]
            )
            if name in self._data
            else None
            for name in NAMES
        )

    def epoch(self):
        """Yields pairs as a compiled fold takes them."""
        order = self._rng and self._rng.permutation(self._count)
        full, rest = divmod(self._count, self._size)
        first = keras.tree.flatten(self.example())
        size = sum(each.nbytes for each in first if each is not None)
        steps = _steps_per_call(full, batches.MOST_BYTES // max(1, size))
        start = 0
        while full:
            now = min(steps, full)
            yield self._piece(order, start, now, self._size)
            start += now * self._size
            full -= now
        if rest:
            yield self._piece(order, start, 1, rest)

    def read(self, rng):
        """Yields single batches, as a `Stream` does."""
        order = rng and rng.permutation(self._count)
        for start in range(0, self._count, self._size):
            size = min(self._size, self._count - start)
            (piece, _) = self._piece(order, start, 1, size)
            yield tuple(
                keras.tree.map_structure(lambda each: each[0], piece[name])
                if name in piece
                else None
                for name in NAMES
            )

    def _piece(self, order, start, steps, size):
        index = slice(start, start + steps * size)
        if order is not None:
            index = order[index]

        def cut(array):
            # PyTorch warns of arrays that it might write to, but may not.
            piece = np.require(array[index], requirements=["C", "W"])
            return piece.reshape(steps, size, *array.shape[1:])

        return keras.tree.map_structure(cut, self._data), _nothing(steps)


class _Steps:
    """Takes the batches of an epoch from a stream, which continues in the next.

    Args:
        stream: A `Stream`.
        steps: Positive integer, or None for a pass.
        rng: As for `feed`.
    """

    def __init__(self, stream, steps, rng):
        self._stream = stream
        self._steps = steps
        self._rng = rng
        self._ongoing = iter(())
        self._left = 0

    def __len__(self):
        return self._steps or self._stream.num_batches or 0

    def example(self):
        return self._stream.example()

    def epoch(self):
        """Yields pairs as a compiled fold takes them."""
        most = STEPS_PER_CALL
        if len(self):
            most = _steps_per_call(len(self))
        waiting, size = [], 0
        for batch in self._batches():
            if waiting and (
                len(waiting) == most
                or size > batches.MOST_BYTES
                or _shapes(batch) != _shapes(waiting[0])
            ):
                yield _stacked(waiting)
                waiting, size = [], 0
            waiting.append(batch)
            size += sum(each.nbytes for each in keras.tree.flatten(batch))
        if waiting:
            yield _stacked(waiting)

    def _batches(self):
        if self._steps is None:
            for batch in self._stream.read(self._rng):
                yield _named(batch)
            return
        if not self._left:
            self._ongoing = iter(self._stream.read(self._rng))
            self._left = self._stream.num_batches or math.inf
        taken = 0
        for batch in itertools.islice(self._ongoing, self._steps):
            taken += 1
            yield _named(batch)
        if taken < self._steps:
            raise ValueError(
                f"The data have ended after {taken} of {self._steps} steps of "
                "an epoch."
            )
        self._left -= taken


def _named(data):
    return {
        name: part
        for name, part in zip(NAMES, data, strict=True)
        if part is not None
    }


def _shapes(batch):
    return [(each.shape, each.dtype) for each in keras.tree.flatten(batch)]


def _stacked(waiting):
    return (
        keras.tree.map_structure(lambda *each: np.stack(each), *waiting),
        _nothing(len(waiting)),
    )


def _nothing(steps):
    """The labels are the same for all members, so they need no choice."""
    return [np.zeros((steps, 1), "float32")]


def _steps_per_call(steps, most=STEPS_PER_CALL):
    """Returns a number of steps that divides all, if one near the most does.

    Each other number is one more program to compile.
    """
    calls = math.ceil(steps / max(1, min(most, STEPS_PER_CALL)))
    for more in range(calls, 4 * calls):
        if steps % more == 0:
            return steps // more
    return math.ceil(steps / calls) if calls else 1
