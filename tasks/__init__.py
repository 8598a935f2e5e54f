"""What is learned: operations on vectors, and placed digits."""

from tasks import constant as constant
from tasks.arithmetic_ops.arithmetic_ops_dataset_builder import (
    ArithmeticOpsConfig as ArithmeticOpsConfig,
)
from tasks.inputs import INPUTS as INPUTS
from tasks.inputs import SPLITS as SPLITS
from tasks.inputs import InputSettings as InputSettings
from tasks.loading import PAIRS as PAIRS
from tasks.loading import check_pair as check_pair
from tasks.loading import is_trivial as is_trivial
from tasks.loading import load as load
from tasks.loading import load_inputs as load_inputs
from tasks.operations import OPERATIONS as OPERATIONS
from tasks.placed_digits.placed_digits_dataset_builder import (
    PlacedDigitsConfig as PlacedDigitsConfig,
)
from tasks.reasoning_ops import ReasoningOpsConfig as ReasoningOpsConfig
from tasks.storage import DataError as DataError
