"""Trains a character model at several learning rates."""

import dataclasses
import functools
import time

import keras
import numpy as np

from experiments import rates
from experiments.characters import text
from experiments.characters.networks import WIDTHS
from experiments.characters.networks import build
from tuning.population.population import Population


@dataclasses.dataclass(frozen=True)
class Settings:
    """How each network is trained.

    Attributes:
        learning_rates: Those to start with: see `experiments.rates.search`.
        seeds: Seeds of the initial weights.
        rate_seeds: Those by which learning rates are compared.
        steps: Optimizer steps.
        batch_size: Windows of a step.
        length: Characters of a window.
        test_length: Characters of a window to validate and to test on.
    """

    learning_rates: tuple[float, ...] = (3e-3, 1e-2, 3e-2)
    seeds: tuple[int, ...] = (0, 1, 2)
    rate_seeds: tuple[int, ...] = (0,)
    steps: int = 1_000
    batch_size: int = 32
    length: int = 64
    test_length: int = 200


QUICK = Settings(learning_rates=(1e-2,), seeds=(0, 1), steps=100, batch_size=16)


@dataclasses.dataclass(frozen=True)
class Row:
    """One training, or a baseline.

    Attributes:
        network: Key of `experiments.characters.networks.WIDTHS`, `"unigram"`
            or `"5-gram"`.
        learning_rate: Adam's, at the start: it falls to 0 by a cosine.
        seed: Seed of the initial weights.
        parameters: The number of weights.
        validation_loss: Bits per character of the validation part.
        bits: Bits per character of the test part.
        seconds: Wall clock, its share of what was trained together.
    """

    network: str
    learning_rate: float
    seed: int
    parameters: int
    validation_loss: float
    bits: float
    seconds: float


@dataclasses.dataclass(frozen=True)
class Job:
    """A network, and its rows of an earlier, interrupted run."""

    network: str
    settings: Settings
    known: tuple[Row, ...] = ()


def jobs(settings, rows):
    """Returns a job for each network that is not finished."""
    known = {
        network: tuple(row for row in rows if row.network == network)
        for network in WIDTHS
    }
    return [
        Job(network, settings, mine)
        for network, mine in known.items()
        if not rates.is_finished(mine, settings)
    ]


def baselines(source):
    """Returns a `Row` for each baseline: they are counted, not trained."""
    rows = []
    for name, count in (
        ("unigram", text.unigram_bits),
        ("5-gram", text.ngram_bits),
    ):
        started = time.perf_counter()
        validation, test = (
            count(dataclasses.replace(source, test=part))
            for part in (source.validation, source.test)
        )
        seconds = time.perf_counter() - started
        rows.append(Row(name, 0.0, 0, 0, validation, test, seconds))
    return rows


def train(job, send):
    """Sends `("rows", list of Row)` for what is trained together."""

    def fit(pairs):
        return fit_together(job.network, pairs, job.settings, load())

    for rows in rates.search(fit, job.known, job.settings):
        send("rows", rows)


@functools.cache
def load():
    return text.load()


def fit_together(network, pairs, settings, source):
    """Trains a network at pairs of a learning rate and a seed.

    Args:
        network: Key of `WIDTHS`.
        pairs: List of pairs.
        settings: `Settings`.
        source: `text.Text`.

    Returns:
        A `Row` for each pair.
    """
    started = time.perf_counter()
    members = []
    for rate, seed in pairs:
        keras.utils.set_random_seed(seed)
        model = build(network, len(source.characters))
        schedule = keras.optimizers.schedules.CosineDecay(rate, settings.steps)
        model.compile(
            keras.optimizers.Adam(schedule),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        members.append(model)
    population = Population(members)
    population.fit(
        *random_windows(source.train, settings),
        batch_size=settings.batch_size,
        shuffle=False,
    )
    validation, test = (
        population.evaluate(*windows(part, settings.test_length))["loss"]
        / np.log(2)
        for part in (source.validation, source.test)
    )
    seconds = (time.perf_counter() - started) / len(members)
    return [
        Row(
            network=network,
            learning_rate=rate,
            seed=seed,
            parameters=members[index].count_params(),
            validation_loss=float(validation[index]),
            bits=float(test[index]),
            seconds=seconds,
        )
        for index, (rate, seed) in enumerate(pairs)
    ]


def random_windows(codes, settings):
    """Returns characters and those that follow them, for all steps."""
    rng = np.random.default_rng(0)
    starts = rng.integers(
        len(codes) - settings.length, size=settings.steps * settings.batch_size
    )
    places = starts[:, None] + np.arange(settings.length)
    return codes[places], codes[places + 1]


def windows(codes, length):
    """Returns the same of a text, one window after the other."""
    count = (len(codes) - 1) // length
    places = np.arange(count * length).reshape(count, length)
    return codes[places], codes[places + 1]
