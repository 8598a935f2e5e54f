"""How everything is trained, and the results of a training."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Settings:
    """How everything is trained; the same for all networks.

    To choose a learning rate, each is tried for `rate_steps` from each of
    `rate_seeds`; a single rate is not tried.
    """

    depths: tuple[int, ...] = (2, 4, 8)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    steps: int = 2500
    batch_size: int = 32
    learning_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    rate_steps: int = 750
    rate_seeds: tuple[int, ...] = (100, 101)
    # After a layer is corrupted, training continues for some rounds; the
    # fastest of them gives the time of a step.
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
    """One network at one depth, and the seeds that are left to do.

    `learning_rate` is None where it has yet to be chosen.
    """

    network: str
    depth: int
    seeds: tuple[int, ...]
    settings: Settings
    learning_rate: float | None = None


@dataclasses.dataclass
class Run:
    """The result of one training."""

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
    # Accuracy with each convolution's weights set to noise, and that after
    # some further training with the last one's set to noise.
    corrupted: list[float]
    recovered: float
    steps: list[int]
    # Of shape (steps, layers); attention and contribution of attended ones.
    gradient: list[list[float]]
    contribution: list[list[float]] | None = None
    attention: list[list[float]] | None = None
