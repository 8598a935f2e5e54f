"""Units behind a layer that finds two sums, trained until they are exact."""

import dataclasses
import itertools
import time

import keras

from kmul import layers
from kmul.metrics import sparsity_error
from kmul.regularizers import Discreteness
from tasks.arithmetic_ops import OPERATIONS
from tuning.population.population import Population
from tuning.problems.data import DataSettings
from tuning.problems.registry import open_problem
from tuning.study.protocol import Protocol

UNITS = {
    "Dense": keras.layers.Dense,
    "NAC": layers.NAC,
    "NAU": layers.NAU,
    "NMU": layers.NMU,
    "NALU": layers.NALU,
    "INALU": layers.INALU,
    "RealNPU": layers.RealNPU,
    "NPU": layers.NPU,
    "MultiplicativeInteraction": layers.MultiplicativeInteraction,
}
# These can only add and subtract, and are tried on nothing else.
LINEAR = ("Dense", "NAC", "NAU")
# The weights of an exact solution, for the units that are regularized to them.
EXACT = {layers.NAU: (-1.0, 0.0, 1.0), layers.NMU: (0.0, 1.0)}


@dataclasses.dataclass(frozen=True)
class Settings:
    """How each unit is trained.

    Attributes:
        seeds: Seeds of the initial weights.
        learning_rate: Adam's learning rate.
        steps: Optimizer steps at most.
        steps_per_epoch: How often the validation error is measured.
        batch_size: Records of a step.
        strength: Strength of the regularizer that pulls weights to exact
            ones; multiplied by the variance of the labels where that is below
            1, because the error then is as small.
        warmup: The shares of the steps up to which it is off, and from which
            it has its full strength.
    """

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    learning_rate: float = 1e-3
    steps: int = 2_000_000
    steps_per_epoch: int = 10_000
    batch_size: int = 128
    strength: float = 10.0
    warmup: tuple[float, float] = (0.2, 0.4)


QUICK = Settings(seeds=(0, 1), steps=10_000, steps_per_epoch=1_000)


@dataclasses.dataclass(frozen=True)
class Row:
    """One training.

    Attributes:
        operation: Key of `tasks.arithmetic_ops.OPERATIONS`.
        unit: Key of `UNITS`.
        seed: Seed of the initial weights.
        success: Whether the error is below that of a nearly exact solution.
        error: Mean squared error of extrapolation.
        sparsity_error: The largest distance of a weight to −1, 0 or 1, in the
            layer that finds the sums.
        steps: How many steps it trained.
        seconds: Its share of the population's wall clock.
    """

    operation: str
    unit: str
    seed: int
    success: bool
    error: float
    sparsity_error: float
    steps: int
    seconds: float


@dataclasses.dataclass(frozen=True)
class Job:
    """A unit on an operation, from all seeds."""

    operation: str
    unit: str
    settings: Settings


def jobs(settings, rows):
    """Returns the jobs that have no rows yet."""
    done = {(row.operation, row.unit) for row in rows}
    return [
        Job(operation, unit, settings)
        for operation, unit in itertools.product(OPERATIONS, UNITS)
        if (operation, unit) not in done
        and (unit not in LINEAR or operation in ("add", "sub"))
    ]


def build(job, inputs_width, strength, seed):
    """Returns the network: an `NAU`, named `sums`, and the unit."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((inputs_width,))
    sums = make(layers.NAU, 2, strength, job.settings, name="sums")(inputs)
    unit = make(UNITS[job.unit], 1, strength, job.settings)
    if job.unit == "MultiplicativeInteraction":
        sums = [sums, sums]
    return keras.Model(inputs, unit(sums))


def make(layer, units, strength, settings, **kwargs):
    """Returns a layer, regularized if its exact weights are known."""
    if layer in EXACT:
        kwargs["kernel_regularizer"] = Discreteness(strength, EXACT[layer])
        kwargs["regularizer_warmup"] = tuple(
            int(share * settings.steps) for share in settings.warmup
        )
    return layer(units, **kwargs)


def train(job, send):
    """Sends `("rows", list of Row)`, one row per seed."""
    started = time.perf_counter()
    settings = job.settings
    problem = open_problem(
        f"arithmetic_ops/{job.operation}",
        "uniform",
        DataSettings(),
        Protocol.tolerance,
    )
    variance = float(problem.label("train").var())
    strength = settings.strength * min(1.0, variance)
    members = []
    for seed in settings.seeds:
        model = build(job, problem.input_shapes[0][0], strength, seed)
        model.compile(
            keras.optimizers.Adam(settings.learning_rate),
            "mse",
            metrics=problem.metrics(),
        )
        members.append(model)
    # Many networks as small as these take hardly longer than one.
    population = Population(members, vectorize=True)
    population.fit(
        problem.x("train"),
        problem.label("train"),
        batch_size=settings.batch_size,
        epochs=settings.steps // settings.steps_per_epoch,
        steps_per_epoch=settings.steps_per_epoch,
        validation_data=(problem.x("validation"), problem.label("validation")),
        **problem.goal(target=None),
    )
    scores = population.evaluate(problem.x("test"), problem.label("test"))
    seconds = (time.perf_counter() - started) / len(members)
    rows = []
    for index, seed in enumerate(settings.seeds):
        (kernel,) = (
            population.member(index).get_layer("sums").effective_kernels()
        )
        mine = {name: float(values[index]) for name, values in scores.items()}
        rows.append(
            Row(
                operation=job.operation,
                unit=job.unit,
                seed=seed,
                success=problem.succeeded(mine),
                error=mine["error"],
                sparsity_error=sparsity_error(kernel),
                steps=int(population.steps[index]),
                seconds=seconds,
            )
        )
    send("rows", rows)
