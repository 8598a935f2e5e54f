"""How a network is searched for and trained."""

import dataclasses
import math

from kmul._validation import check_positive_integer
from kmul._validation import check_positive_number
from kmul.metrics.within_tolerance import DEFAULT_TOLERANCE
from tuning.networks.network import LEARNING_RATES


@dataclasses.dataclass(frozen=True)
class Protocol:
    """The training procedure, the same for every network.

    Each learning rate trains for `search_steps`. The one with the lowest
    validation loss trains again from scratch, for up to `train_steps`, and
    stops when every element of the validation labels is within tolerance. The
    test records are used once, after that.

    Attributes:
        search_steps: Steps of a trial of one learning rate.
        train_steps: Steps, at most, of the training from scratch.
        check_steps: Steps between two looks at the validation accuracy.
        batch_size: Records per step.
        learning_rates: What the search chooses from.
        tolerance: Largest absolute error that counts as right.
        target: Validation accuracy at which training stops.
    """

    search_steps: int = 1_000
    train_steps: int = 30_000
    check_steps: int = 1_000
    batch_size: int = 32
    learning_rates: tuple[float, ...] = LEARNING_RATES
    tolerance: float = DEFAULT_TOLERANCE
    target: float = 1.0

    def __post_init__(self):
        for name in ("search_steps", "train_steps", "check_steps"):
            check_positive_integer(name, getattr(self, name))
        check_positive_integer("batch_size", self.batch_size)
        check_positive_number("tolerance", self.tolerance)
        if not self.learning_rates:
            raise ValueError(
                "Invalid value for argument `learning_rates`. Expected at "
                "least one number. Received: learning_rates=()"
            )
        for rate in self.learning_rates:
            check_positive_number("learning_rates", rate)

    @property
    def train_epochs(self):
        """How often training looks at the validation accuracy, at most."""
        return math.ceil(self.train_steps / self.check_steps)
