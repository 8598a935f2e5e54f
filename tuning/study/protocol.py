"""How a network is searched for and trained."""

import dataclasses
import math

from kmul._validation import check_choice
from kmul._validation import check_positive_integer
from kmul._validation import check_positive_number
from kmul.metrics.within_tolerance import DEFAULT_TOLERANCE
from tuning.networks.network import LEARNING_RATES

NAMES = ("article", "released", "thorough")
HALF_DECADE = 10**0.5
# A search that extends its rates ends here.
EXTREME_RATES = 1e-6, 100.0


@dataclasses.dataclass(frozen=True)
class Protocol:
    """The training procedure, the same for every network.

    `"article"` is what the article describes. `"thorough"` is what conclusions
    should rest on: while the best rate is the lowest or the highest tried, the
    next half decade follows; the rate falls to zero along a cosine, in a
    trial as in training; the weights of the lowest validation loss are tested,
    not the last; and a seed sets the order of the batches beside the initial
    weights. `"released"` is what the article's code did, where that differs
    from its text: see `tuning.study.released`.

    Each learning rate trains for `search_steps`. The one with the lowest
    validation loss trains again from scratch, for up to `train_steps`, and
    stops when every element of the validation labels is within tolerance. The
    test records are used once, after that.

    Attributes:
        search_steps: Steps of a trial of one learning rate.
        train_steps: Steps, at most, of the training from scratch.
        check_steps: Steps between two looks at the validation accuracy, or,
            in `"released"`, at that of a training batch.
        batch_size: Records per step.
        learning_rates: Rates the search chooses from.
        tolerance: Largest absolute error that counts as right.
        target: Validation accuracy at which training stops.
        name: `"article"`, `"released"` or `"thorough"`.
    """

    search_steps: int = 1_000
    train_steps: int = 30_000
    check_steps: int = 1_000
    batch_size: int = 32
    learning_rates: tuple[float, ...] = LEARNING_RATES
    tolerance: float = DEFAULT_TOLERANCE
    target: float = 1.0
    name: str = "article"

    def __post_init__(self):
        check_choice("name", self.name, NAMES)
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
    def is_thorough(self):
        return self.name == "thorough"

    @property
    def search_epochs(self):
        """How often a trial looks at the validation loss."""
        if not self.is_thorough:
            return 1
        return math.ceil(self.search_steps / self.check_steps)

    @property
    def train_epochs(self):
        """How often training looks at the validation accuracy, at most."""
        return math.ceil(self.train_steps / self.check_steps)

    def next_rate(self, rates, best):
        """Returns the rate to try beyond the best one.

        Args:
            rates: List of the rates that were tried.
            best: The best of them.

        Returns:
            None where the best lies between others, or no further is tried.
        """
        low, high = EXTREME_RATES
        if not self.is_thorough or min(rates) < best < max(rates):
            return None
        factor = HALF_DECADE if best == max(rates) else 1 / HALF_DECADE
        rate = float(f"{best * factor:.3g}")
        return rate if low <= rate <= high else None


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(),
        Protocol(name="released", check_steps=100, target=0.99),
        Protocol(
            name="thorough",
            search_steps=10_000,
            train_steps=100_000,
            learning_rates=(1e-4, 3.16e-4, 1e-3, 3.16e-3, 1e-2, 3.16e-2),
        ),
    )
}
