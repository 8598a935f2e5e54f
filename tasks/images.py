"""Labelled images of any TensorFlow dataset, as NumPy arrays."""

import importlib.util
import itertools
import sys

import numpy as np
import tensorflow_datasets as tfds

from tasks._validation import check_integer
from tasks.packed.storage import DataError

# For datasets without validation images of their own.
WITHOUT_VALIDATION = {"train": "train[:90%]", "validation": "train[90%:]"}


def load(name, split="train", data_dir=None, *, records=None):
    """Returns the images and labels of a split of a TensorFlow dataset.

    A dataset that is prepared is read in the format that it has. One that is
    not is downloaded and prepared as record files that are read without
    TensorFlow.

    Args:
        name: Name of a dataset whose supervised keys are an image of one size
            and a class: `"mnist"`, `"cifar10"`, `"placed_digits/digit"`.
        split: Name of a split, or a slice of one, `"train[:90%]"` for example.
        data_dir: Root of all data sets. Default: `$TFDS_DATA_DIR`, or
            `~/tensorflow_datasets`.
        records: Positive integer, read only that many, the first ones.
            Default: all.

    Returns:
        `(images, labels)`: float32 from 0 to 1 of shape `(records, height,
        width, channels)` and int64 of shape `(records,)`.

    Example:

    >>> from tasks import images
    >>> x, y = images.load("mnist", "test")
    >>> x.shape, y.shape
    ((10000, 28, 28, 1), (10000,))
    """
    builder, image_key, label_key = _open(name, data_dir)
    source = _source(builder, split)
    count = len(source)
    if records is not None:
        if check_integer("records", records, 1) > count:
            raise ValueError(
                f"{split} of {name} has {count:,} records. "
                f"Received: records={records}"
            )
        count = int(records)
    shape = builder.info.features[image_key].shape
    images = np.empty((count, *shape), np.float32)
    labels = np.empty(count, np.int64)
    for index, record in enumerate(itertools.islice(source, count)):
        images[index] = record[image_key]
        labels[index] = record[label_key]
    images /= 255
    return images, labels


def load_for_search(name, split, data_dir=None, *, records=None):
    """The same for `"train"`, `"validation"` and `"test"` of every dataset.

    Where a dataset has no split for validation, it is the last tenth of the
    training records, which are then without it.
    """
    builder, *_ = _open(name, data_dir)
    part = _split_for_search(builder, split)
    return load(name, part, data_dir, records=records)


def count_for_search(name, split, data_dir=None):
    """Returns how many records `load_for_search` has by default."""
    builder, *_ = _open(name, data_dir)
    return len(_source(builder, _split_for_search(builder, split)))


def shape_and_classes(name, data_dir=None):
    """Returns the shape of a dataset's images, and how many classes it has."""
    builder, image_key, label_key = _open(name, data_dir)
    features = builder.info.features
    return features[image_key].shape, features[label_key].num_classes


def _open(name, data_dir):
    """Returns a prepared dataset, and its keys of the image and its class."""
    builder = tfds.builder(name, data_dir=data_dir)
    keys = _image_and_class(name, builder.info)
    if not builder.is_prepared():
        builder = tfds.builder(
            name, data_dir=data_dir, file_format="array_record"
        )
        builder.download_and_prepare()
    return builder, *keys


def _source(builder, split):
    """Returns a split's records: their number is known, and they are iterated.

    Random access is preferred, as it does without TensorFlow.
    """
    formats = builder.info.available_file_formats()
    if formats and not formats & tfds.core.FileFormat.with_random_access():
        return _Stream(builder, split)
    return builder.as_data_source(split)


class _Stream:
    """Records one after the other, read by TensorFlow."""

    def __init__(self, builder, split):
        if importlib.util.find_spec("tensorflow") is None:
            raise DataError(
                f"{builder.data_dir} holds {builder.info.file_format.value} "
                "files, which only TensorFlow reads. Install it with pip "
                "install 'kmul[tensorflow]', or name another data directory."
            )
        self._builder = builder
        self._split = split

    def __len__(self):
        return self._builder.info.splits[self._split].num_examples

    def __iter__(self):
        if "tensorflow" not in sys.modules:
            # It would take the memory of every GPU from the training.
            import tensorflow as tf

            tf.config.set_visible_devices([], "GPU")
        # One file after the other, which is the order of random access.
        config = tfds.ReadConfig(interleave_cycle_length=1)
        dataset = self._builder.as_dataset(self._split, read_config=config)
        return iter(tfds.as_numpy(dataset))


def _split_for_search(builder, split):
    if "validation" in builder.info.splits:
        return split
    return WITHOUT_VALIDATION.get(split, split)


def _image_and_class(name, info):
    """The names of the features that are the image and its class."""
    features = info.features
    match info.supervised_keys:
        case str(image), str(label) if (
            isinstance(features[image], tfds.features.Image)
            and isinstance(features[label], tfds.features.ClassLabel)
            and None not in features[image].shape
        ):
            return image, label
    raise ValueError(
        f"`{name}` should be a dataset of images of one size, each with a "
        f"class. Received: supervised_keys={info.supervised_keys}, "
        f"features={features}"
    )
