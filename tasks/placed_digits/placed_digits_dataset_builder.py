"""placed_digits dataset."""

import dataclasses
import functools
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds

from tasks._validation import check_known
from tasks.packed.builder import PackedBuilder
from tasks.placed_digits.loading import add_classes
from tasks.placed_digits.settings import LABELS
from tasks.placed_digits.settings import PlacingSettings


@dataclasses.dataclass(eq=False)
class PlacedDigitsConfig(tfds.core.BuilderConfig):
    """The label that `as_supervised` gives, and sizes.

    Args:
        name: Name of the config.
        label: `"digit"`, `"position"` or `"both"`.
        settings: `PlacingSettings`.

    Example:

    ```python
    config = PlacedDigitsConfig(
        name="large", label="digit", settings=PlacingSettings(canvas_size=40)
    )
    builder = tfds.builder("placed_digits", config=config)
    ```
    """

    label: str = "both"
    settings: PlacingSettings = dataclasses.field(
        default_factory=PlacingSettings
    )

    def __post_init__(self):
        check_known("label", self.label, LABELS)
        if self.description is None:
            self.description = f"Placed digits, labelled with {self.label}."


class Builder(PackedBuilder):
    """Builder of the placed digits."""

    VERSION = tfds.core.Version(PlacingSettings.version)
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "Initial release.",
        "1.0.1": "The same records, kept as NumPy arrays.",
    }
    BUILDER_CONFIGS: ClassVar[list[PlacedDigitsConfig]] = [
        PlacedDigitsConfig(name=label, label=label) for label in LABELS
    ]
    DEFAULT_BUILDER_CONFIG_NAME = "both"
    HOMEPAGE = "https://archive.ics.uci.edu/dataset/80"
    LABELLED_BY = "label"

    def _features(self):
        settings = self.builder_config.settings
        size = settings.canvas_size
        return {
            "image": tfds.features.Image(shape=(size, size, 1)),
            "offset": tfds.features.Tensor(shape=(2,), dtype=np.int64),
            **{
                label: tfds.features.ClassLabel(
                    num_classes=settings.classes(label)
                )
                for label in LABELS
            },
        }

    def _supervised_keys(self):
        return "image", self.builder_config.label

    def _completion(self):
        return functools.partial(
            add_classes, settings=self.builder_config.settings
        )
