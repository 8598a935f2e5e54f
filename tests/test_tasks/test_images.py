import importlib.util

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

import tasks
from tasks import images as task_images


class Stripes(tfds.core.GeneratorBasedBuilder):
    """Images that TFDS keeps in record files, one as bright as its number."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(4, 4, 1)),
                    "label": tfds.features.ClassLabel(num_classes=3),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager):
        return {
            "train": self._generate_examples(40),
            "test": self._generate_examples(5),
        }

    def _generate_examples(self, count):
        for index in range(count):
            # An array would be encoded by TensorFlow.
            image = Image.new("L", (4, 4), index)
            yield index, {"image": image, "label": index % 3}


@pytest.mark.parametrize("file_format", ["tfrecord", "array_record"])
def test_whatever_format_is_there(file_format, tmp_path):
    tfds.builder(
        "stripes", data_dir=tmp_path, file_format=file_format
    ).download_and_prepare()
    images, labels = task_images.load("stripes", "train", tmp_path)
    assert images.shape == (40, 4, 4, 1) and images.dtype == np.float32
    numbers = (images[:, 0, 0, 0] * 255).round().astype(int)
    assert sorted(numbers) == list(range(40))
    np.testing.assert_array_equal(labels, numbers % 3)
    # TFDS shuffles the records as it writes them, the same in each format.
    assert (numbers[0], numbers[2]) == (39, 6)
    some, _ = task_images.load_for_search(
        "stripes", "validation", tmp_path, records=2
    )
    np.testing.assert_array_equal(some, images[36:38])
    assert task_images.count_for_search("stripes", "train", tmp_path) == 36
    assert {path.name for path in (tmp_path / "stripes").iterdir()} == {"1.0.0"}


def test_nothing_there(tmp_path):
    """It is prepared so that TensorFlow is not needed."""
    assert len(task_images.load("stripes", "test", tmp_path)[0]) == 5
    builder = tfds.builder("stripes", data_dir=tmp_path)
    assert builder.info.file_format == tfds.core.FileFormat.ARRAY_RECORD


def test_record_files_that_need_tensorflow(tmp_path, monkeypatch):
    tfds.builder("stripes", data_dir=tmp_path).download_and_prepare()
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name: None if name == "tensorflow" else find_spec(name),
    )
    with pytest.raises(
        tasks.DataError,
        match=r"stripes/1.0.0 holds tfrecord files, which only TensorFlow "
        r"reads\. Install it with pip install 'kmul\[tensorflow\]', or",
    ):
        task_images.load("stripes", "test", tmp_path)


def test_our_own(tmp_path):
    images, labels = task_images.load(
        "placed_digits/digit", "test", tmp_path, records=7
    )
    expected = tasks.placed_digits.load("digit", "test", tmp_path, records=7)
    np.testing.assert_array_equal(images, expected[0])
    np.testing.assert_array_equal(labels, expected[1])


@pytest.mark.parametrize(
    "name, shape", [("mnist", (28, 28, 1)), ("cifar10", (32, 32, 3))]
)
def test_images_of_other_datasets(name, shape, tmp_path):
    with tfds.testing.mock_data(num_examples=7):
        images, labels = task_images.load(name, "test", data_dir=tmp_path)
    assert images.shape == (7, *shape)
    assert images.dtype == np.float32
    assert 0 <= images.min() < 0.1 and 0.9 < images.max() <= 1
    assert labels.shape == (7,)
    assert set(labels) <= set(range(10))


def test_splits_for_a_search(tmp_path, monkeypatch):
    """Without validation images, the last training images are kept for it."""
    monkeypatch.setattr(
        task_images, "load", lambda name, split, *_, **__: split
    )
    with tfds.testing.mock_data():
        found = [
            task_images.load_for_search("mnist", split, tmp_path)
            for split in ("train", "validation", "test")
        ]
        shape, classes = task_images.shape_and_classes("mnist", tmp_path)
    assert found == ["train[:90%]", "train[90%:]", "test"]
    assert (shape, classes) == ((28, 28, 1), 10)


def test_the_first_images(tmp_path):
    with tfds.testing.mock_data(num_examples=7):
        whole = task_images.load("mnist", data_dir=tmp_path)
        some = task_images.load("mnist", data_dir=tmp_path, records=3)
        with pytest.raises(ValueError, match="train of mnist has 7 records"):
            task_images.load("mnist", data_dir=tmp_path, records=8)
        with pytest.raises(ValueError, match=r"`records`\. Expected an int"):
            task_images.load("mnist", data_dir=tmp_path, records=0)
        count = task_images.count_for_search("mnist", "test", tmp_path)
    for all_of, few in zip(whole, some, strict=True):
        np.testing.assert_array_equal(few, all_of[:3])
    assert count == 7


def test_datasets_without_one_image_and_class(tmp_path):
    with pytest.raises(
        ValueError,
        match="`coco/2017` should be a dataset of images of one size, each "
        r"with a class\. Received: supervised_keys=None",
    ):
        task_images.load("coco/2017", data_dir=tmp_path)
