"""Trains pictures and names with one fusion at several learning rates."""

import dataclasses
import functools
import itertools
import time

import keras
import numpy as np

from experiments import rates
from experiments.fusion.networks import BASELINES
from experiments.fusion.networks import FUSIONS
from experiments.fusion.networks import build
from experiments.fusion.networks import count_encoders
from tasks import named_letters
from tuning.population.population import Population


@dataclasses.dataclass(frozen=True)
class Settings:
    """The data, and how each network is trained.

    Attributes:
        train_records: Records to train on.
        validation_records: Records to validate on.
        test_records: Records to test on.
        equal: What all fusions have in common, `"parameters"` and `"width"`.
        learning_rates: Those to start with: see `experiments.rates.search`.
        seeds: Seeds of the initial weights.
        rate_seeds: Those by which learning rates are compared.
        steps: Optimizer steps.
        batch_size: Records of a step.
    """

    train_records: int = 60_000
    validation_records: int = 4_000
    test_records: int = 8_000
    equal: tuple[str, ...] = ("parameters", "width")
    learning_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    rate_seeds: tuple[int, ...] = (0,)
    steps: int = 1_000
    batch_size: int = 128


QUICK = Settings(
    train_records=4_000,
    validation_records=1_000,
    test_records=1_000,
    equal=("parameters",),
    learning_rates=(3e-3,),
    seeds=(0,),
    steps=50,
)


@dataclasses.dataclass(frozen=True)
class Row:
    """One training.

    Attributes:
        fusion: Key of `experiments.fusion.networks.FUSIONS`, or one of its
            `BASELINES`.
        equal: `"parameters"` or `"width"`, what all fusions have in common.
        learning_rate: Adam's, at the start: it falls to 0 by a cosine.
        seed: Seed of the initial weights.
        parameters: The number of weights behind the encoders.
        validation_loss: The share of validation records that is wrong.
        accuracy: The share of test records that is right.
        seconds: Wall clock, its share of what was trained together.
    """

    fusion: str
    equal: str
    learning_rate: float
    seed: int
    parameters: int
    validation_loss: float
    accuracy: float
    seconds: float


@dataclasses.dataclass(frozen=True)
class Job:
    """A fusion, and its rows of an earlier, interrupted run."""

    fusion: str
    equal: str
    settings: Settings
    known: tuple[Row, ...] = ()


def jobs(settings, rows):
    """Returns a job for each network that is not finished."""
    # The baselines have no width.
    names = [(settings.equal[0], name) for name in BASELINES]
    names += itertools.product(settings.equal, FUSIONS)
    known = {
        name: tuple(row for row in rows if (row.equal, row.fusion) == name)
        for name in names
    }
    return [
        Job(fusion, equal, settings, mine)
        for (equal, fusion), mine in known.items()
        if not rates.is_finished(mine, settings)
    ]


def train(job, send):
    """Sends `("rows", list of Row)` for what is trained together."""

    def fit(pairs):
        return fit_together(job.fusion, job.equal, pairs, job.settings)

    for rows in rates.search(fit, job.known, job.settings):
        send("rows", rows)


def fit_together(fusion, equal, pairs, settings):
    """Trains a network at pairs of a learning rate and a seed."""
    started = time.perf_counter()
    members = []
    for rate, seed in pairs:
        keras.utils.set_random_seed(seed)
        model = build(fusion, equal)
        schedule = keras.optimizers.schedules.CosineDecay(rate, settings.steps)
        model.compile(
            keras.optimizers.Adam(schedule),
            keras.losses.BinaryCrossentropy(from_logits=True),
            metrics=[keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)],
        )
        members.append(model)
    population = Population(members)
    population.fit(
        *load("train", settings),
        batch_size=settings.batch_size,
        steps_per_epoch=settings.steps,
    )
    validation, test = (
        population.evaluate(*load(split, settings))["accuracy"]
        for split in ("validation", "test")
    )
    seconds = (time.perf_counter() - started) / len(members)
    return [
        Row(
            fusion=fusion,
            equal=equal,
            learning_rate=rate,
            seed=seed,
            parameters=members[index].count_params() - count_encoders(),
            validation_loss=1 - float(validation[index]),
            accuracy=float(test[index]),
            seconds=seconds,
        )
        for index, (rate, seed) in enumerate(pairs)
    ]


@functools.cache
def load(split, settings):
    """Returns the pictures and names of a split, and whether they match."""
    (pictures, words), match = named_letters.load(
        split,
        train_records=settings.train_records,
        validation_records=settings.validation_records,
        test_records=settings.test_records,
    )
    return [pictures, words.astype(np.int32)], match[:, None].astype(np.float32)
