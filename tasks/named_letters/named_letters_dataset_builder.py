"""named_letters dataset."""

import dataclasses
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds

from tasks.named_letters import letters
from tasks.named_letters.settings import LetterSettings
from tasks.packed.builder import PackedBuilder


@dataclasses.dataclass(eq=False)
class NamedLettersConfig(tfds.core.BuilderConfig):
    """The sizes of the data.

    Args:
        name: Name of the config.
        settings: `LetterSettings`.

    Example:

    ```python
    config = NamedLettersConfig(
        name="few", settings=LetterSettings(train_records=4000)
    )
    builder = tfds.builder("named_letters", config=config)
    ```
    """

    label: ClassVar[str] = "label"
    settings: LetterSettings = dataclasses.field(default_factory=LetterSettings)

    def __post_init__(self):
        if self.description is None:
            self.description = "Letters, each with its name or another's."


class Builder(PackedBuilder):
    """Builder of the named letters."""

    VERSION = tfds.core.Version(LetterSettings.version)
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "Initial release."}
    BUILDER_CONFIGS: ClassVar[list[NamedLettersConfig]] = [
        NamedLettersConfig(name="pairs")
    ]
    DEFAULT_BUILDER_CONFIG_NAME = "pairs"
    HOMEPAGE = "https://dejavu-fonts.github.io"
    LABELLED_BY = "label"

    def _features(self):
        words = (letters.longest_name(),)
        return {
            "image": tfds.features.Image(shape=(letters.SIDE, letters.SIDE, 1)),
            "words": tfds.features.Tensor(shape=words, dtype=np.int64),
            "label": tfds.features.ClassLabel(num_classes=2),
            "shown": tfds.features.Scalar(dtype=np.int64),
            "named": tfds.features.Scalar(dtype=np.int64),
            "attribute": tfds.features.ClassLabel(
                names=list(letters.ATTRIBUTES)
            ),
            "font": tfds.features.ClassLabel(names=list(letters.FONTS)),
        }

    def _supervised_keys(self):
        return ("image", "words"), "label"

    def _completion(self):
        return dict
