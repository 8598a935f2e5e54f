"""What training a network comes to."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes:
        weights: Callable that returns its weights.
        steps: Number of steps that it took.
        scores: Its loss and metrics on the test records, by name.
    """

    weights: Callable
    steps: int
    scores: dict
