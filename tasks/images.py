"""Labelled images of any TensorFlow dataset, as NumPy arrays."""

import numpy as np
import tensorflow_datasets as tfds

from tasks._validation import check_integer

# For datasets without validation images of their own.
WITHOUT_VALIDATION = {"train": "train[:90%]", "validation": "train[90%:]"}


def load(name, split="train", data_dir=None, limit=None):
    """Returns the images and labels of a split of a TensorFlow dataset.

    The dataset is downloaded and prepared on first use, as record files that
    are read without TensorFlow.

    Args:
        name: Name of a dataset whose supervised keys are an image of one size
            and a class: `"mnist"`, `"cifar10"`, `"placed_digits/digit"`.
        split: Name of a split, or a slice of one, `"train[:90%]"` for example.
        data_dir: Root of all data sets. Default: `$TFDS_DATA_DIR`, or
            `~/tensorflow_datasets`.
        limit: Positive integer, how many records to load at most; `None` for
            all.

    Returns:
        `(images, labels)`: float32 from 0 to 1 of shape `(records, height,
        width, channels)` and int64 of shape `(records,)`.

    Example:

    >>> from tasks import images
    >>> x, y = images.load("mnist", "test")
    >>> x.shape, y.shape
    ((10000, 28, 28, 1), (10000,))
    """
    if limit is not None:
        check_integer("limit", limit, 1)
    builder, image_key, label_key = _open(name, data_dir)
    source = builder.as_data_source(split)
    count = len(source) if limit is None else min(limit, len(source))
    shape = builder.info.features[image_key].shape
    images = np.empty((count, *shape), np.float32)
    labels = np.empty(count, np.int64)
    for index in range(count):
        record = source[index]
        images[index] = record[image_key]
        labels[index] = record[label_key]
    images /= 255
    return images, labels


def load_for_search(name, split, data_dir=None, limit=None):
    """The same for `"train"`, `"validation"` and `"test"` of every dataset.

    Where a dataset has no split for validation, it is the last tenth of the
    training records, which are then without it.
    """
    builder, *_ = _open(name, data_dir)
    return load(name, _split_for_search(builder, split), data_dir, limit)


def count_for_search(name, split, data_dir=None):
    """Returns how many records `load_for_search` has without a limit."""
    builder, *_ = _open(name, data_dir)
    return len(builder.as_data_source(_split_for_search(builder, split)))


def shape_and_classes(name, data_dir=None):
    """Returns the shape of a dataset's images, and how many classes it has."""
    builder, image_key, label_key = _open(name, data_dir)
    features = builder.info.features
    return features[image_key].shape, features[label_key].num_classes


def _open(name, data_dir):
    """Returns a prepared dataset, and its keys of the image and its class."""
    builder = tfds.builder(name, data_dir=data_dir, file_format="array_record")
    keys = _image_and_class(name, builder.info)
    builder.download_and_prepare()
    return builder, *keys


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
