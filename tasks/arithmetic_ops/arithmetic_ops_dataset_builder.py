"""arithmetic_ops dataset."""

import dataclasses
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds

from tasks.arithmetic_ops.loading import check_operation
from tasks.arithmetic_ops.loading import records
from tasks.arithmetic_ops.operations import OPERATIONS
from tasks.arithmetic_ops.sampling import SPLITS
from tasks.arithmetic_ops.sampling import ArithmeticSettings


@dataclasses.dataclass(eq=False)
class ArithmeticOpsConfig(tfds.core.BuilderConfig):
    """The operation, sizes and ranges.

    Args:
        name: Name of the config.
        operation: Name of an operation, a key of `OPERATIONS`.
        settings: `ArithmeticSettings`.

    Example:

    ```python
    config = ArithmeticOpsConfig(
        name="short", operation="mul", settings=ArithmeticSettings(size=8)
    )
    builder = tfds.builder("arithmetic_ops", config=config)
    ```
    """

    operation: str = "mul"
    settings: ArithmeticSettings = dataclasses.field(
        default_factory=ArithmeticSettings
    )

    def __post_init__(self):
        check_operation(self.operation, self.settings)
        if self.description is None:
            equation = OPERATIONS[self.operation].equation
            self.description = f"Labelled with the {equation}."


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builder of arithmetic on sums."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "Initial release."}
    BUILDER_CONFIGS: ClassVar[list[ArithmeticOpsConfig]] = [
        ArithmeticOpsConfig(name=operation, operation=operation)
        for operation in OPERATIONS
    ]
    DEFAULT_BUILDER_CONFIG_NAME = "mul"

    def _info(self):
        size = self.builder_config.settings.size
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "x": tfds.features.Tensor(shape=(size,), dtype=np.float32),
                    "label": tfds.features.Tensor(shape=(1,), dtype=np.float32),
                }
            ),
            supervised_keys=("x", "label"),
            homepage="https://arxiv.org/abs/2001.05016",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in SPLITS}

    def _generate_examples(self, split):
        config = self.builder_config
        pairs = zip(
            *records(config.settings, split, config.operation), strict=True
        )
        for index, (x, label) in enumerate(pairs):
            yield index, {"x": x, "label": label}
