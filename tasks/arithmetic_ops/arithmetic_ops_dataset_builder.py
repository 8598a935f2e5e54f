"""arithmetic_ops dataset."""

import dataclasses
import functools
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds

from tasks.arithmetic_ops.loading import add_label
from tasks.arithmetic_ops.loading import check_operation
from tasks.arithmetic_ops.operations import OPERATIONS
from tasks.arithmetic_ops.settings import ArithmeticSettings
from tasks.packed.builder import PackedBuilder


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


class Builder(PackedBuilder):
    """Builder of arithmetic on sums."""

    VERSION = tfds.core.Version(ArithmeticSettings.version)
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "Initial release.",
        "1.0.1": "The same records, kept as NumPy arrays.",
    }
    BUILDER_CONFIGS: ClassVar[list[ArithmeticOpsConfig]] = [
        ArithmeticOpsConfig(name=operation, operation=operation)
        for operation in OPERATIONS
    ]
    DEFAULT_BUILDER_CONFIG_NAME = "mul"
    HOMEPAGE = "https://arxiv.org/abs/2001.05016"
    LABELLED_BY = "operation"

    def _features(self):
        size = self.builder_config.settings.size
        return {
            "x": tfds.features.Tensor(shape=(size,), dtype=np.float32),
            "label": tfds.features.Tensor(shape=(1,), dtype=np.float32),
        }

    def _supervised_keys(self):
        return "x", "label"

    def _completion(self):
        config = self.builder_config
        return functools.partial(
            add_label, operation=config.operation, settings=config.settings
        )
