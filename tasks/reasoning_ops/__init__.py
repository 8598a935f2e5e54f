"""The reasoning operations as a TensorFlow Datasets builder."""

from tasks.reasoning_ops.reasoning_ops_dataset_builder import Builder as Builder
from tasks.reasoning_ops.reasoning_ops_dataset_builder import (
    ReasoningOpsConfig as ReasoningOpsConfig,
)
