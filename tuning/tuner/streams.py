"""Data that come in batches, as Keras's `fit` takes them."""

import collections
import itertools
import types

import keras
import numpy as np

from tuning.population.feeds import Stream


class NoStream(Exception):
    """Says why data are not read as a stream."""


def stream(data, shuffle, is_validation=False):
    """Returns data as a `Stream`, or None for arrays and the like.

    Args:
        data: A `keras.utils.PyDataset`, `tf.data.Dataset`, PyTorch
            `DataLoader` or generator.
        shuffle: Boolean, whether a `PyDataset`'s batches come in an order of
            their own in each pass, as in Keras. Others see to it themselves.

    Raises:
        NoStream: It is one, but cannot be read once for all.
    """
    if isinstance(data, keras.utils.PyDataset):
        return _of_py_dataset(data, shuffle)
    module = type(data).__module__.partition(".")[0]
    if module == "tensorflow" and hasattr(data, "as_numpy_iterator"):
        return _of_tf_dataset(data)
    if module == "torch" and hasattr(data, "dataset"):
        return _of_data_loader(data)
    if isinstance(data, types.GeneratorType):
        return _of_generator(data, is_validation)
    return None


def _of_py_dataset(data, shuffle):
    if data.workers > 1 or data.use_multiprocessing:
        raise NoStream("its `PyDataset` has workers")
    count = data.num_batches
    if not count:
        raise NoStream("its `PyDataset` has no end")

    def read(rng):
        data.on_epoch_begin()
        order = rng.permutation(count) if shuffle and rng else range(count)
        for index in order:
            yield _tuple(data[int(index)])
        data.on_epoch_end()

    return Stream(data, read, count)


def _of_tf_dataset(data):
    # Negative where it is infinite, or not known.
    count = int(data.cardinality())

    def read(rng):
        del rng
        for batch in data.as_numpy_iterator():
            yield _tuple(batch)

    return Stream(data, read, count if count > 0 else None)


def _of_data_loader(data):
    try:
        count = len(data)
    except TypeError:
        count = None

    def read(rng):
        del rng
        for batch in data:
            yield _tuple(batch)

    return Stream(data, read, count)


def _of_generator(data, is_validation):
    """Returns the batches of a generator, which are gone when they are read.

    For validation Keras keeps the first two, and begins with them each time.
    """
    waiting = collections.deque()

    def wait_for(count):
        waiting.extend(itertools.islice(data, count - len(waiting)))
        if not waiting:
            raise NoStream("its generator is at its end")

    def peek():
        wait_for(1)
        return _tuple(waiting[0])

    def read(rng):
        del rng
        if is_validation:
            wait_for(2)
            yield from map(_tuple, waiting)
        while waiting and not is_validation:
            yield _tuple(waiting.popleft())
        yield from map(_tuple, data)

    return Stream(data, read, None, peek)


def _tuple(batch):
    """Returns a batch as `(x, y, sample_weight)`, nested NumPy arrays."""
    if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
        raise NoStream("its batches are not `(x, y)` or `(x, y, weights)`")
    x, y, weights = (*batch, None)[:3]
    x, y = keras.tree.map_structure(_array, (x, y))
    if weights is not None:
        weights = keras.tree.map_structure(_array, weights)
        if keras.tree.is_nested(y) and not keras.tree.is_nested(weights):
            weights = keras.tree.map_structure(lambda _: weights, y)
    return x, y, weights


def _array(value):
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" or array.ndim == 0:
        raise NoStream(f"its batches have values of type {array.dtype}")
    if array.dtype.kind == "f":
        array = array.astype(keras.config.floatx(), copy=False)
    return array
