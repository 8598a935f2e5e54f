"""reasoning_ops dataset."""

import dataclasses
import functools
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds

from tasks.packed.builder import PackedBuilder
from tasks.reasoning_ops.loading import PAIRS
from tasks.reasoning_ops.loading import add_label
from tasks.reasoning_ops.loading import check_pair
from tasks.reasoning_ops.operations import OPERATIONS
from tasks.reasoning_ops.settings import SPLITS
from tasks.reasoning_ops.settings import InputSettings


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


class Builder(PackedBuilder):
    """Builder of the reasoning operations."""

    VERSION = tfds.core.Version(InputSettings.version)
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "Initial release."}
    BUILDER_CONFIGS: ClassVar[list[ReasoningOpsConfig]] = [
        ReasoningOpsConfig(name=f"{task}_{inputs}", task=task, inputs=inputs)
        for task, inputs in PAIRS
    ]
    DEFAULT_BUILDER_CONFIG_NAME = "logical_xor_many_hot"
    HOMEPAGE = (
        "https://medium.com/octavian-ai/incorporating-element-wise-"
        "multiplication-can-out-perform-dense-layers-in-neural-networks-"
        "c2d807f9fdc2"
    )
    LABELLED_BY = "task"

    def _features(self):
        config = self.builder_config
        label_width = OPERATIONS[config.task].label_width(config.width)
        widths = {"a": config.width, "b": config.width, "label": label_width}
        return {
            name: tfds.features.Tensor(shape=(width,), dtype=np.float32)
            for name, width in widths.items()
        }

    def _supervised_keys(self):
        return ("a", "b"), "label"

    def _completion(self):
        return functools.partial(add_label, task=self.builder_config.task)
