"""What is learned: operations on vectors, and placed digits."""

from tasks import baseline as baseline
from tasks.arithmetic_ops.arithmetic_ops_dataset_builder import (
    ArithmeticOpsConfig as ArithmeticOpsConfig,
)
from tasks.placed_digits.placed_digits_dataset_builder import (
    PlacedDigitsConfig as PlacedDigitsConfig,
)
from tasks.reasoning_ops import ReasoningOpsConfig as ReasoningOpsConfig
from tasks.reasoning_ops.inputs import INPUTS as INPUTS
from tasks.reasoning_ops.inputs import SPLITS as SPLITS
from tasks.reasoning_ops.inputs import InputSettings as InputSettings
from tasks.reasoning_ops.loading import PAIRS as PAIRS
from tasks.reasoning_ops.loading import check_pair as check_pair
from tasks.reasoning_ops.loading import is_trivial as is_trivial
from tasks.reasoning_ops.loading import load as load
from tasks.reasoning_ops.loading import load_inputs as load_inputs
from tasks.reasoning_ops.operations import OPERATIONS as OPERATIONS
from tasks.reasoning_ops.storage import DataError as DataError
