"""The classes of images."""

import functools

import numpy as np
import tensorflow_datasets as tfds

from tasks import images
from tasks.placed_digits import LABELS
from tuning.problems.problem import Problem


class ImageProblem(Problem):
    """The class of an image, of any TensorFlow dataset that has these."""

    input_rank = 3
    loss = "sparse_categorical_crossentropy"

    @classmethod
    def task_names(cls):
        return ("placed_digits", *map("placed_digits/{}".format, LABELS))

    @classmethod
    def has(cls, task):
        return task in cls.task_names() or _is_of_tfds(task.partition("/")[0])

    @classmethod
    def describe(cls):
        return [
            ", ".join(cls.task_names()),
            "mnist or any other TensorFlow dataset of labelled images",
        ]

    @classmethod
    def inputs_of(cls, task):
        return ("images",)

    @property
    def input_shapes(self):
        return [images.shape_and_classes(self.task, self.data.data_dir)[0]]

    @property
    def units(self):
        return images.shape_and_classes(self.task, self.data.data_dir)[1]

    def x(self, split):
        return self._load(split)[0]

    def label(self, split):
        return self._load(split)[1]

    def records(self, split):
        # Without decoding them: that takes as long as some training.
        count = images.count_for_search(self.task, split, self.data.data_dir)
        limit = self.data.train_records if split == "train" else None
        return min(count, limit or count)

    def _load(self, split):
        return _load(self.task, split, self.data.data_dir, self.records(split))

    def metrics(self):
        import keras

        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def constant(self):
        most = np.bincount(self.label("train")).argmax()
        return float(np.mean(self.label("test") == most)), False

    def constant_loss(self):
        import keras

        # The class frequencies of the training labels, as probabilities.
        counts = np.bincount(self.label("train"), minlength=self.units)
        shares = np.maximum(counts / counts.sum(), keras.config.epsilon())
        return float(-np.log(shares[self.label("test")]).mean())


@functools.lru_cache(maxsize=8)
def _load(name, split, data_dir, records):
    x, y = images.load_for_search(name, split, data_dir, records=records)
    return x, y.astype("int32")


@functools.cache
def _is_of_tfds(name):
    """Whether TFDS has a data set; those in `tasks` are named by their kind."""
    # Those of others would be looked up on the network, by TensorFlow.
    if name not in tfds.list_builders(with_community_datasets=False):
        return False
    return not tfds.builder_cls(name).__module__.startswith("tasks.")
