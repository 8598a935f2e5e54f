"""Data sets: operations on vectors, placed digits, and named letters."""

from tasks import baseline as baseline
from tasks import images as images
from tasks.arithmetic_ops.arithmetic_ops_dataset_builder import (
    ArithmeticOpsConfig as ArithmeticOpsConfig,
)
from tasks.named_letters.named_letters_dataset_builder import (
    NamedLettersConfig as NamedLettersConfig,
)
from tasks.packed.storage import DataError as DataError
from tasks.placed_digits.placed_digits_dataset_builder import (
    PlacedDigitsConfig as PlacedDigitsConfig,
)
from tasks.reasoning_ops import INPUTS as INPUTS
from tasks.reasoning_ops import OPERATIONS as OPERATIONS
from tasks.reasoning_ops import PAIRS as PAIRS
from tasks.reasoning_ops import SPLITS as SPLITS
from tasks.reasoning_ops import InputSettings as InputSettings
from tasks.reasoning_ops import check_pair as check_pair
from tasks.reasoning_ops import is_trivial as is_trivial
from tasks.reasoning_ops import load as load
from tasks.reasoning_ops import load_inputs as load_inputs
from tasks.reasoning_ops import open_inputs as open_inputs
from tasks.reasoning_ops.reasoning_ops_dataset_builder import (
    ReasoningOpsConfig as ReasoningOpsConfig,
)
