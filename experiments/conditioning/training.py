"""Trains a network of all operations at several learning rates."""

import dataclasses
import time

import keras
import numpy as np
from keras import ops

from experiments import rates
from experiments.conditioning import data
from experiments.conditioning.networks import WIDTHS
from experiments.conditioning.networks import build
from tuning.population.population import Population


@dataclasses.dataclass(frozen=True)
class Settings:
    """The data, and how each network is trained.

    Attributes:
        width: Width of each of the two vectors.
        train_records: Records of each operation on each kind of inputs.
        records: As many to validate on, and as many to test on. Of one-hot
            vectors there are only width² pairs: half of them to train on, and
            a quarter each.
        learning_rates: Those to start with: see `experiments.rates.search`.
        seeds: Seeds of the initial weights.
        rate_seeds: Those by which learning rates are compared.
        steps: Optimizer steps.
        batch_size: Records of a step.
    """

    width: int = 16
    train_records: int = 4_000
    records: int = 500
    learning_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    rate_seeds: tuple[int, ...] = (0,)
    steps: int = 4_000
    batch_size: int = 128


QUICK = Settings(
    train_records=1_000,
    learning_rates=(3e-3,),
    seeds=(0, 1),
    rate_seeds=(0,),
    steps=400,
)


@dataclasses.dataclass(frozen=True)
class Row:
    """One training.

    Attributes:
        network: Key of `experiments.conditioning.networks.WIDTHS`.
        learning_rate: Adam's, at the start: it falls to 0 by a cosine.
        seed: Seed of the initial weights.
        parameters: The number of weights.
        validation_loss: The share of the label's variance that is not
            explained, mean over operations and inputs that are trained on.
        explained: The share that is explained on test records, not below 0,
            mean over the same.
        held_out: The same of the operations on inputs that are held out.
        pairs: That of each operation on each kind of inputs, first of
            `data.TRAINED`, then of `data.HELD_OUT`.
        seconds: Wall clock, its share of what was trained together.
    """

    network: str
    learning_rate: float
    seed: int
    parameters: int
    validation_loss: float
    explained: float
    held_out: float
    pairs: list[float]
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


def train(job, send):
    """Sends `("rows", list of Row)` for what is trained together."""

    def fit(pairs):
        return fit_together(job.network, pairs, job.settings)

    for rows in rates.search(fit, job.known, job.settings):
        send("rows", rows)


def fit_together(network, pairs, settings):
    """Trains a network at pairs of a learning rate and a seed."""
    started = time.perf_counter()
    members = []
    for rate, seed in pairs:
        keras.utils.set_random_seed(seed)
        model = build(network, settings.width)
        schedule = keras.optimizers.schedules.CosineDecay(rate, settings.steps)
        model.compile(keras.optimizers.Adam(schedule), unexplained)
        members.append(model)
    population = Population(members)
    population.fit(
        *data.together(data.TRAINED, "train", settings),
        batch_size=settings.batch_size,
        steps_per_epoch=settings.steps,
    )
    losses = population.evaluate(
        *data.together(data.TRAINED, "validation", settings)
    )["loss"]
    found = [
        explained(population, data.load(pair, "test", settings))
        for pair in (*data.TRAINED, *data.HELD_OUT)
    ]
    found = np.stack(found, axis=-1)
    count = len(data.TRAINED)
    seconds = (time.perf_counter() - started) / len(members)
    return [
        Row(
            network=network,
            learning_rate=rate,
            seed=seed,
            parameters=members[index].count_params(),
            validation_loss=float(losses[index]),
            explained=float(found[index, :count].mean()),
            held_out=float(found[index, count:].mean()),
            pairs=[round(float(each), 4) for each in found[index]],
            seconds=seconds,
        )
        for index, (rate, seed) in enumerate(pairs)
    ]


@keras.saving.register_keras_serializable("experiments")
def unexplained(y, predicted):
    """The squared error, weighted: see `data.Records`."""
    label, weight = ops.split(y, 2, axis=-1)
    return ops.sum(weight * ops.square(predicted - label), axis=-1)


def explained(population, records):
    """Returns the share of the variance that each member explains."""
    predicted = ops.convert_to_numpy(population(records.x))
    label, used = records.label, records.weight[0] > 0
    errors = predicted[..., used] - label[:, None, used]
    left = np.square(errors).mean(axis=0).sum(axis=-1)
    return np.maximum(0, 1 - left / label[:, used].var(axis=0).sum())
