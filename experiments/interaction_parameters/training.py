"""Finds the smallest network that learns to fit a function of two vectors."""

import dataclasses
import itertools
import time

import keras
import numpy as np

from kmul import layers
from tuning.population.population import Population

FUNCTIONS = {
    "dot": lambda x, y: np.einsum("bi,bi->b", x, y)[:, None],
    "sum": lambda x, y: x + y,
}
NETWORKS = ("mlp", "interaction")


@dataclasses.dataclass(frozen=True)
class Settings:
    """The measurements, and how each network is trained.

    Attributes:
        dimensions: The sizes of the two vectors.
        max_width: The largest hidden width of the perceptron.
        target: The mean squared error to reach.
        learning_rates: Adam's learning rates, all tried for each network.
        seeds: Seeds of the initial weights, all tried at each learning rate.
        steps: Optimizer steps at most.
        steps_per_epoch: How often the error is measured.
        batch_size: Records of a step.
        train_records: Records to train on.
        validation_records: Fresh records, on which the error is measured.
    """

    dimensions: tuple[int, ...] = (2, 3, 4, 6, 8, 12, 16, 32)
    max_width: int = 2048
    target: float = 0.1
    learning_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    seeds: tuple[int, ...] = (0, 1)
    steps: int = 10_000
    steps_per_epoch: int = 250
    batch_size: int = 128
    train_records: int = 100_000
    validation_records: int = 10_000


QUICK = Settings(
    dimensions=(2, 4, 8),
    max_width=64,
    learning_rates=(3e-3, 1e-2),
    seeds=(0,),
    steps=2000,
)


@dataclasses.dataclass(frozen=True)
class Row:
    """One network of one width, trained.

    Attributes:
        function: `"dot"` or `"sum"`.
        network: `"mlp"` or `"interaction"`.
        dimension: Size of each of the two vectors.
        width: Hidden width of the perceptron, 0 for the interaction.
        parameters: The number of its weights.
        reached: Whether a member of the population reached the target.
        error: The lowest mean squared error of a member after any epoch.
        learning_rate, seed: Those of the member with that error.
        steps: How many steps it trained.
        seconds: Wall clock.
    """

    function: str
    network: str
    dimension: int
    width: int
    parameters: int
    reached: bool
    error: float
    learning_rate: float
    seed: int
    steps: int
    seconds: float


@dataclasses.dataclass(frozen=True)
class Job:
    """The search for the smallest network that fits a function.

    Attributes:
        function: `"dot"` or `"sum"`.
        network: `"mlp"` or `"interaction"`.
        dimension: Size of each of the two vectors.
        settings: `Settings`.
        known: Rows of an earlier, interrupted run of this job.
    """

    function: str
    network: str
    dimension: int
    settings: Settings
    known: tuple[Row, ...] = ()


def search(job, send):
    """Sends `("rows", [Row])` for each width that is tried.

    The perceptron's width is halved as long as it reaches the target, or
    doubled until it does, so that the width found is one that reaches it when
    half of it does not.
    """
    known = {row.width: row for row in job.known}

    def reaches(width):
        if width not in known:
            known[width] = train(job, width)
            send("rows", [known[width]])
        return known[width].reached

    if job.network == "interaction":
        reaches(0)
        return
    # Close to what either function needs, so that few widths are wasted.
    width = min(2 * job.dimension, job.settings.max_width)
    if reaches(width):
        while width > 1 and reaches(width // 2):
            width //= 2
    else:
        while 2 * width <= job.settings.max_width and not reaches(2 * width):
            width *= 2


def build(job, width):
    """Returns one of the networks."""
    inputs = [keras.Input((job.dimension,)) for _ in range(2)]
    units = 1 if job.function == "dot" else job.dimension
    if job.network == "interaction":
        outputs = layers.MultiplicativeInteraction(units)(inputs)
    else:
        hidden = keras.layers.Concatenate()(inputs)
        hidden = keras.layers.Dense(width, activation="relu")(hidden)
        outputs = keras.layers.Dense(units)(hidden)
    return keras.Model(inputs, outputs)


def train(job, width):
    """Trains a network at all learning rates and seeds; returns its `Row`."""
    started = time.perf_counter()
    settings = job.settings
    members, tried = [], []
    for seed in settings.seeds:
        keras.utils.set_random_seed(seed)
        model = build(job, width)
        model.compile(keras.optimizers.Adam(), "mse")
        for rate in settings.learning_rates:
            members.append(model)
            tried.append((rate, seed))
    population = Population(members, [rate for rate, _ in tried])
    x, y = sample(job, settings.train_records, 0)
    history = population.fit(
        x,
        y,
        batch_size=settings.batch_size,
        epochs=settings.steps // settings.steps_per_epoch,
        steps_per_epoch=settings.steps_per_epoch,
        validation_data=sample(job, settings.validation_records, 1),
        monitor="val_loss",
        target=settings.target,
        mode="min",
        callbacks=[StopWhenReached()],
    )
    errors = np.nanmin(history.history["val_loss"], axis=0)
    best = int(np.nanargmin(errors))
    return Row(
        function=job.function,
        network=job.network,
        dimension=job.dimension,
        width=width,
        parameters=members[0].count_params(),
        reached=bool(population.reached.any()),
        error=float(errors[best]),
        learning_rate=tried[best][0],
        seed=tried[best][1],
        steps=int(population.steps.max()),
        seconds=time.perf_counter() - started,
    )


def sample(job, records, stream):
    """Returns pairs of standard normal vectors and the function of them."""
    rng = np.random.default_rng([job.dimension, stream])
    x = [
        rng.standard_normal((records, job.dimension), np.float32)
        for _ in range(2)
    ]
    return x, FUNCTIONS[job.function](*x)


class StopWhenReached(keras.callbacks.Callback):
    """Stops a population as soon as one of its members reaches the target."""

    def on_epoch_end(self, epoch, logs=None):
        if self.model.reached.any():
            self.model.stop_training = True


def jobs(settings, rows):
    """Returns all jobs, the longest first, with the known rows of each."""
    return [
        Job(
            function,
            network,
            dimension,
            settings,
            tuple(
                row
                for row in rows
                if (row.function, row.network, row.dimension)
                == (function, network, dimension)
            ),
        )
        for dimension, function, network in itertools.product(
            sorted(settings.dimensions, reverse=True), FUNCTIONS, NETWORKS
        )
    ]
