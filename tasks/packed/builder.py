"""The base class of TensorFlow Datasets builders of packed arrays."""

import abc
import contextlib
import json
import re
from typing import ClassVar

import tensorflow_datasets as tfds
from google.protobuf import json_format

from tasks.packed import pipeline
from tasks.packed import storage
from tasks.packed.records import Records

SETTINGS = "settings.json"


class PackedInfo(tfds.core.DatasetInfo):
    """Information on a data set that is not kept in record files."""

    def __repr__(self):
        return re.sub(r"\n +file_format=.*", "", super().__repr__())

    def write_to_directory(self, dataset_info_dir, all_metadata=True):
        # Where it finds a description of the features, TFDS reads record files
        # without asking the builder, if a version is named.
        super().write_to_directory(dataset_info_dir, all_metadata=False)


class PackedBuilder(tfds.core.DatasetBuilder):
    """Base of the builders.

    The arrays are stored once for all configs that use them, and what is
    computed of them is computed as records are read. So `download_and_prepare`
    writes a description, and a split is prepared when it is first asked for.
    From the same arrays come a `tf.data.Dataset`, the only thing that needs
    TensorFlow, and a data source with random access.

    A config has `settings`, a `tasks.packed.settings.PackedSettings`.

    Attributes:
        HOMEPAGE: Page of the data set, or of its model.
        LABELLED_BY: Name of the config's attribute that says which label the
            records have.
    """

    HOMEPAGE: ClassVar[str]
    LABELLED_BY: ClassVar[str]

    def __init__(
        self,
        *,
        data_dir=None,
        config=None,
        version=None,
        file_format=None,
        **others,
    ):
        """`file_format`, which `tfds.data_source` gives, changes nothing."""
        if others:
            arguments = ", ".join(f"{name}={others[name]!r}" for name in others)
            raise TypeError(
                f"`{self.name}` takes its settings from a config: "
                f"builder_kwargs={{'config': {self.builder_config_cls.__name__}"
                f"(name=..., ...)}}. Received: {arguments}"
            )
        with self._explained(json_format.ParseError):
            super().__init__(data_dir=data_dir, config=config, version=version)

    @abc.abstractmethod
    def _features(self):
        """Returns a dictionary of the features of a record."""

    @abc.abstractmethod
    def _supervised_keys(self):
        """Returns what `as_supervised` gives, as TFDS takes it."""

    @abc.abstractmethod
    def _completion(self):
        """Returns the `complete` of `Records`; it can be pickled."""

    def _info(self):
        metadata = self.get_metadata()
        return PackedInfo(
            builder=self,
            description=metadata.description,
            citation=metadata.citation,
            homepage=self.HOMEPAGE,
            features=tfds.features.FeaturesDict(self._features()),
            supervised_keys=self._supervised_keys(),
            disable_shuffling=True,
        )

    def download_and_prepare(self, *, file_format=None, **kwargs):
        """Describes the data set. `file_format` changes nothing."""
        if kwargs or not self.is_prepared():
            common = self.data_path.parent.parent
            with (
                storage.explained("prepare", self.data_dir),
                storage.exclusively(common),
            ):
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
        _check_decoders(decoders)

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
        _check_decoders(decoders)
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
        settings = self.builder_config.settings
        for name, *_ in parts:
            storage.prepare(settings, name, self.data_dir_root)
        return Records(settings, self._completion(), parts, self.data_dir_root)

    def _each_split(self, function, split):
        if split is None:
            split = {name: name for name in self.builder_config.settings.splits}
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
        """Another process may have prepared it since this builder was made."""
        if not self.info.splits:
            with self._explained(OSError, json_format.ParseError):
                self.info.read_from_directory(self.data_dir)

    def _settings(self):
        config = self.builder_config
        return {
            self.LABELLED_BY: getattr(config, self.LABELLED_BY),
            **config.settings.as_json(),
        }

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
        settings = self._settings()
        if prepared != settings:
            differing = ", ".join(
                f"{name}={prepared.get(name)!r}, not {value!r}"
                for name, value in settings.items()
                if prepared.get(name) != value
            )
            raise ValueError(
                f"{self.data_dir} was prepared with other settings than those "
                f"of the config: {differing}. Give the config another name, or "
                "delete the directory."
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


def _check_decoders(decoders):
    if decoders is not None:
        raise ValueError("There is nothing to decode: leave out `decoders`")
