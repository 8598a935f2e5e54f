"""How everything is trained, and what a training gives."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Settings:
    """How everything is trained; the same for all networks.

    `rate_steps` is how long each learning rate is tried, with each of
    `rate_seeds`, to choose one; with a single rate there is nothing to choose.
    """

    depths: tuple[int, ...] = (2, 4, 8)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    steps: int = 2500
    batch_size: int = 32
    learning_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    rate_steps: int = 750
    rate_seeds: tuple[int, ...] = (100, 101)
    # After a layer is corrupted, training goes on in some rounds, whose
    # fastest gives the time per step.
    recovery_rounds: int = 5
    round_steps: int = 50
    filters: int = 8
    budget: int = 100_000
    canvas_size: int = 16
    distractors: int = 2
    # Every place that a digit of 8×8 can take on the canvas.
    position_cells: int = 9
    measures: int = 50
    probe_records: int = 128


QUICK = Settings(
    depths=(2, 5),
    seeds=(0, 1),
    steps=300,
    learning_rates=(3e-3,),
    recovery_rounds=2,
    round_steps=15,
    measures=10,
)


@dataclasses.dataclass(frozen=True)
class Job:
    """One network at one depth, from every seed that is left to do.

    `learning_rate` is None where it is to be chosen.
    """

    network: str
    depth: int
    seeds: tuple[int, ...]
    settings: Settings
    learning_rate: float | None = None


@dataclasses.dataclass
class Run:
    """What one training gave."""

    network: str
    depth: int
    seed: int
    units: int
    parameters: int
    learning_rate: float
    step_milliseconds: float
    seconds: float
    accuracy: float
    digit_accuracy: float
    position_accuracy: float
    # Accuracy with each convolution's weights set to noise, and what is left
    # after the last one's were and training went on a little.
    corrupted: list[float]
    recovered: float
    steps: list[int]
    # Of shape (steps, layers); attention and contribution of attended ones.
    gradient: list[list[float]]
    contribution: list[list[float]] | None = None
    attention: list[list[float]] | None = None
