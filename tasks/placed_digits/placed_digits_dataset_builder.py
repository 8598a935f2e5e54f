"""placed_digits dataset."""

import dataclasses
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from tasks._validation import check_known
from tasks.placed_digits.placing import LABELS
from tasks.placed_digits.placing import ORIGINALS
from tasks.placed_digits.placing import PlacingSettings
from tasks.placed_digits.placing import place


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


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builder of the placed digits."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "Initial release."}
    BUILDER_CONFIGS: ClassVar[list[PlacedDigitsConfig]] = [
        PlacedDigitsConfig(name=label, label=label) for label in LABELS
    ]
    DEFAULT_BUILDER_CONFIG_NAME = "both"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        # Those of the records on disk, where there are any.
        prepared = self.info.metadata["settings"]
        settings = dataclasses.asdict(self.builder_config.settings)
        if prepared != settings:
            differing = {
                name: (prepared.get(name), value)
                for name, value in settings.items()
                if prepared.get(name) != value
            }
            raise ValueError(
                f"{self.data_dir} holds records of other settings than those "
                f"of the config {self.builder_config.name!r}. Give the config "
                "another name, or remove the directory. Received, with the "
                f"prepared value first: {differing}"
            )

    def _info(self):
        config = self.builder_config
        settings = config.settings
        size = settings.canvas_size
        classes = {
            label: tfds.features.ClassLabel(num_classes=settings.classes(label))
            for label in LABELS
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(
                        shape=(size, size, 1), encoding_format="png"
                    ),
                    "offset": tfds.features.Tensor(shape=(2,), dtype=np.int64),
                    **classes,
                }
            ),
            supervised_keys=("image", config.label),
            metadata=tfds.core.MetadataDict(
                settings=dataclasses.asdict(settings)
            ),
            homepage="https://archive.ics.uci.edu/dataset/80",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in ORIGINALS}

    def _generate_examples(self, split):
        records = place(self.builder_config.settings, split)
        for index in range(len(records["image"])):
            record = {name: values[index] for name, values in records.items()}
            # The dataset encodes an array by TensorFlow, but not an image.
            record["image"] = Image.fromarray(record["image"][..., 0])
            yield index, record
