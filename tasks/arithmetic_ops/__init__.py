"""Arithmetic on the sums of two overlapping subsets of a vector."""

from tasks.arithmetic_ops.loading import load as load
from tasks.arithmetic_ops.loading import success_threshold as success_threshold
from tasks.arithmetic_ops.operations import OPERATIONS as OPERATIONS
from tasks.arithmetic_ops.settings import SPLITS as SPLITS
from tasks.arithmetic_ops.settings import (
    ArithmeticSettings as ArithmeticSettings,
)
