"""Operations on two vectors, with four kinds of random inputs."""

from tasks.reasoning_ops.inputs import INPUTS as INPUTS
from tasks.reasoning_ops.loading import PAIRS as PAIRS
from tasks.reasoning_ops.loading import check_pair as check_pair
from tasks.reasoning_ops.loading import is_trivial as is_trivial
from tasks.reasoning_ops.loading import load as load
from tasks.reasoning_ops.loading import load_inputs as load_inputs
from tasks.reasoning_ops.loading import open_inputs as open_inputs
from tasks.reasoning_ops.operations import OPERATIONS as OPERATIONS
from tasks.reasoning_ops.settings import SPLITS as SPLITS
from tasks.reasoning_ops.settings import InputSettings as InputSettings
