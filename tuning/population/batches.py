"""Batches of records in a fixed order, many at a time."""

import keras
import numpy as np

from kmul._validation import check_positive_integer

# Of the batches that are made at once, at most, however many steps that is.
MOST_BYTES = 2**28


class Batches:
    """Cuts arrays into batches, pass after pass.

    Args:
        x: Array of shape `(records, ...)`, or nested arrays. They may be
            memory-mapped: only the rows asked for are read.
        y: Array of labels, a function of `x` that gives labels, or a list of
            these.
        batch_size: Positive integer.
        shuffle: Boolean, whether each pass has an order of its own.
        seed: Integer, the seed of the orders.
        keep_all: Boolean, whether the last batch of a pass may be smaller,
            rather than left out.

    Attributes:
        records: Integer, the number of records.
        per_pass: Integer, the number of full batches in a pass.
    """

    def __init__(self, x, y, batch_size, shuffle=True, seed=0, keep_all=False):
        check_positive_integer("batch_size", batch_size)
        arrays = keras.tree.flatten(x)
        sizes = {len(array) for array in arrays}
        self._y = y if isinstance(y, list) else [y]
        sizes |= {len(each) for each in self._y if not callable(each)}
        if len(sizes) != 1:
            raise ValueError(
                "All arrays of `x` and `y` should have the same number of "
                f"records. Received: {sorted(sizes)}"
            )
        self.records = sizes.pop()
        if not keep_all and self.records < batch_size:
            raise ValueError(
                "`x` should have at least one batch of records. Received: "
                f"{self.records} records, batch_size={batch_size}"
            )
        # Nested lists of tensors: what Keras models of several inputs take.
        self._x = x
        self._batch_size = batch_size
        self._shuffle = shuffle
        self._rng = np.random.default_rng(seed)
        self._order = np.empty(0, int)
        self.per_pass = self.records // batch_size

    def next(self, steps):
        """Returns the next batches, across passes: `(xs, ys)`.

        Returns:
            `xs`, of the structure of `x`, and a list `ys`; all arrays have
            the shape `(steps, batch_size, ...)`.
        """
        wanted = steps * self._batch_size
        parts, have = [self._order], len(self._order)
        while have < wanted:
            order = (
                self._rng.permutation(self.records)
                if self._shuffle
                else np.arange(self.records)
            )
            parts.append(order[: self.per_pass * self._batch_size])
            have += len(parts[-1])
        order = np.concatenate(parts)
        self._order = order[wanted:]
        return self._cut(order[:wanted], self._batch_size)

    def steps_at_once(self, most):
        """Returns how many batches to make at once: fewer where they are large.

        Args:
            most: Positive integer, how many of small ones.
        """
        record = keras.tree.flatten(self._cut(slice(0, 1), 1))
        size = self._batch_size * sum(each.nbytes for each in record)
        return max(1, min(most, MOST_BYTES // max(1, size)))

    def one_pass(self, steps):
        """Yields all records once, in order, `steps` batches at a time."""
        size = min(self._batch_size, self.records)
        full = self.records - self.records % size
        for start in range(0, full, steps * size):
            yield self._cut(slice(start, min(start + steps * size, full)), size)
        if full < self.records:
            yield self._cut(slice(full, None), self.records - full)

    def example(self):
        """Returns the first record, as a batch `(x, y)`."""
        (xs, ys) = self._cut(slice(0, 1), 1)
        return keras.tree.map_structure(lambda each: each[0], (xs, ys[0]))

    def _cut(self, index, size):
        x = keras.tree.map_structure(lambda each: each[index], self._x)
        inputs = x if isinstance(x, (tuple, list)) else (x,)
        ys = [
            each(*inputs) if callable(each) else each[index] for each in self._y
        ]

        def cut(array):
            return np.ascontiguousarray(array).reshape(
                -1, size, *array.shape[1:]
            )

        return keras.tree.map_structure(cut, x), [cut(each) for each in ys]
