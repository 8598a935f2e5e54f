"""reasoning_ops dataset."""

import contextlib
import dataclasses
import json
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds
from google.protobuf import json_format

from tasks.reasoning_ops import pipeline
from tasks.reasoning_ops import storage
from tasks.reasoning_ops.inputs import SPLITS
from tasks.reasoning_ops.inputs import InputSettings
from tasks.reasoning_ops.loading import PAIRS
from tasks.reasoning_ops.loading import check_pair
from tasks.reasoning_ops.operations import OPERATIONS
from tasks.reasoning_ops.records import Records

SETTINGS = "settings.json"


@dataclasses.dataclass(eq=False)
class ReasoningOpsConfig(tfds.core.BuilderConfig):
    """A task, its inputs, and their width, number and seed.

    Args:
        name: Name of the config.
        task: Name of an operation.
        inputs: Name of an input distribution.
        width: Positive integer, the width of each of the two vectors.
        train_records: Positive integer. Default 1,000,000, or as many as
            there are besides the other splits if that is fewer.
        validation_records: Positive integer.
        test_records: Positive integer.
        seed: Non-negative integer.

    Example:

    ```python
    config = ReasoningOpsConfig(
        name="short_dot", task="dot", inputs="random", width=16
    )
    builder = tfds.builder("reasoning_ops", config=config)
    ```
    """

    task: str = "logical_xor"
    inputs: str = "many_hot"
    width: int = 128
    train_records: int | None = None
    validation_records: int = SPLITS["validation"].records
    test_records: int = SPLITS["test"].records
    seed: int = 0

    def __post_init__(self):
        check_pair(self.task, self.inputs)
        self.settings = InputSettings(
            self.inputs,
            self.width,
            self.train_records,
            self.validation_records,
            self.test_records,
            self.seed,
        )
        if self.description is None:
            self.description = f"{self.task} of two {self.inputs} vectors."


class Builder(tfds.core.DatasetBuilder):
    """Builder of the reasoning operations.

    It keeps no record files: the inputs are stored packed, once for all
    configs that use them, and the label is computed as records are read.
    """

    VERSION = tfds.core.Version(storage.VERSION)
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "Initial release."}
    BUILDER_CONFIGS: ClassVar[list[ReasoningOpsConfig]] = [
        ReasoningOpsConfig(name=f"{task}_{inputs}", task=task, inputs=inputs)
        for task, inputs in PAIRS
    ]
    DEFAULT_BUILDER_CONFIG_NAME = "logical_xor_many_hot"

    def __init__(self, *, file_format=None, **kwargs):
        """`file_format`, which `tfds.data_source` gives, changes nothing."""
        with self._explained(json_format.ParseError):
            super().__init__(**kwargs)

    def _info(self):
        config = self.builder_config
        label_width = OPERATIONS[config.task].label_width(config.width)
        widths = {
            "a": config.width,
            "b": config.width,
            "label": label_width,
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    name: tfds.features.Tensor(shape=(width,), dtype=np.float32)
                    for name, width in widths.items()
                }
            ),
            supervised_keys=(("a", "b"), "label"),
        )

    def download_and_prepare(self, **kwargs):
        """Prepares the inputs, unless they are there, and describes them."""
        storage.prepare(self.builder_config.settings, self.data_dir_root)
        with storage.exclusively(self.data_path.parent.parent):
            # TFDS leaves these behind when it is killed.
            for stale in self.data_path.parent.glob("incomplete.*"):
                stale.rmtree()
            super().download_and_prepare(**kwargs)
        self._complete_info()

    def _download_and_prepare(self, dl_manager, download_config=None):
        settings = self.builder_config.settings
        self.info.set_splits(
            tfds.core.SplitDict(
                tfds.core.SplitInfo(
                    name=name,
                    shard_lengths=[count],
                    num_bytes=storage.packed_bytes(settings, name),
                )
                for name, count in settings.records.items()
            )
        )
        path = self.data_path / SETTINGS
        path.write_text(json.dumps(self._settings(), indent=2))

    def as_dataset(
        self,
        split=None,
        *,
        batch_size=None,
        shuffle_files=False,
        decoders=None,
        read_config=None,
        as_supervised=False,
    ):
        """See the base class. `shuffle_files` shuffles blocks of records."""
        if decoders is not None:
            raise ValueError("There is nothing to decode: leave out `decoders`")

        def build(part):
            return pipeline.build(
                self._records(part),
                self.info,
                batch_size,
                shuffle_files,
                read_config or tfds.ReadConfig(),
                as_supervised,
            )

        return self._each_split(build, split)

    def _as_dataset(
        self, split, decoders=None, read_config=None, shuffle_files=False
    ):
        return self.as_dataset(
            split,
            decoders=decoders,
            read_config=read_config,
            shuffle_files=shuffle_files,
        )

    def as_data_source(
        self,
        split=None,
        *,
        decoders=None,
        deserialize_method=None,
        file_format=None,
    ):
        """Returns the records with random access: see `Records`.

        The other arguments are about record files, which there are none of.
        """
        if decoders is not None:
            raise ValueError("There is nothing to decode: leave out `decoders`")
        return self._each_split(self._records, split)

    def _records(self, split):
        self._check_settings()
        names = {
            str(info.filepaths[0]): name
            for name, info in self.info.splits.items()
        }
        parts = tuple(
            (names[part.filename], part.skip, part.skip + part.take)
            for part in self.info.splits[split].file_instructions
        )
        config = self.builder_config
        return Records(config.task, config.settings, self.data_dir_root, parts)

    def _each_split(self, function, split):
        if split is None:
            split = {name: name for name in SPLITS}
        if isinstance(split, dict):
            return {
                key: self._each_split(function, each)
                for key, each in split.items()
            }
        if isinstance(split, list | tuple):
            return type(split)(
                self._each_split(function, each) for each in split
            )
        return function(split)

    def _complete_info(self):
        """Somebody else may have prepared it after this builder was made."""
        if not self.info.splits:
            with self._explained(OSError, json_format.ParseError):
                self.info.read_from_directory(self.data_dir)

    def _settings(self):
        config = self.builder_config
        return {"task": config.task, **dataclasses.asdict(config.settings)}

    def _check_settings(self):
        """A config of the same name may have been another one before."""
        if not self.is_prepared():
            raise AssertionError(
                f"{self.info.full_name} is not in {self.data_dir_root}. Call "
                "`download_and_prepare`, or pass `download=True`."
            )
        self._complete_info()
        with self._explained(OSError, ValueError):
            prepared = json.loads((self.data_path / SETTINGS).read_text())
        if prepared != self._settings():
            raise ValueError(
                f"{self.data_dir} was prepared with {prepared}, not with "
                f"{self._settings()}. Give the config another name, or delete "
                "the directory."
            )
        counts = {
            name: info.num_examples for name, info in self.info.splits.items()
        }
        if counts != self.builder_config.settings.records:
            raise storage.DataError(
                f"{self.data_dir} is corrupted: it says there are {counts} "
                "records. Delete it; it is prepared again when it is next used."
            )

    @contextlib.contextmanager
    def _explained(self, *errors):
        try:
            yield
        except errors as error:
            raise storage.DataError(
                f"{self.data_dir} is corrupted: {error}. Delete it; it is "
                "prepared again when it is next used."
            ) from error
