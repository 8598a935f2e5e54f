"""The protocol `released`: what the article's code did, where its text differs.

It is here so that the published numbers can be made again and explained, and
for nothing else:

- a network with skip connections is evaluated without them. They were added
  where two static shapes were equal, which those of the evaluation's batches,
  of unknown size, never were;
- `random_pos` is drawn as `random` is;
- pairs of one-hot vectors are drawn anew for each record, so that all those of
  the test are trained on;
- the learning rate is chosen on the test records, by the loss; or it is the
  lowest one that reaches the target there. No further rate is tried when the
  accuracy has dropped by 30 % twice;
- training stops by the training accuracy, of one batch in every 100 steps and
  all of these so far;
- the better of the trial and the training counts, by the test accuracy;
- layers with `selu` start from LeCun's normal distribution.

It leaves out what no number rests on, or nobody can repeat: the rate of the
previous cell, which was tried first; runs that continued earlier ones; float64;
and seeds, of which there were none.
"""

import functools
import itertools
import time
import traceback

import keras
import numpy as np

from tasks import SPLITS
from tuning.messages import summarize
from tuning.networks.registry import find_network
from tuning.networks.vectors import DenseResidual
from tuning.population.batches import Batches
from tuning.population.population import Population
from tuning.problems.registry import open_problem
from tuning.study.model import hyperparameters
from tuning.study.rows import Result
from tuning.study.rows import Status
from tuning.study.rows import Trial
from tuning.study.test import to_result
from tuning.study.trained import Trained

# A search ends at the second accuracy that is so much lower than the one of
# the rate before.
DROP = 0.7
DROPS = 2


def run_released(job, send):
    """Searches, trains and tests the cells of a job, as `run_job` does."""
    for cell in job.cells:
        try:
            send("result", _Cell(job, cell).run(send))
        except Exception:
            failure = traceback.format_exc()
            send("failure", (str(cell), failure))
            row = Result.of(
                cell, status=Status.FAILED, message=summarize(failure)
            )
            send("result", row)


def is_over(accuracies, target):
    """Whether no further learning rate is tried.

    Args:
        accuracies: List of those of the rates tried so far, in order.
        target: The one that is aimed at.
    """
    drops = sum(
        after < DROP * before
        for before, after in itertools.pairwise(accuracies)
    )
    return accuracies[-1] >= target or drops >= DROPS


class StopByBatches(keras.callbacks.Callback):
    """Stops members by their accuracy on a training batch in every epoch.

    Args:
        batches: The `Batches` to take them from.
        target: The mean over all epochs so far at which a member stops.
    """

    def __init__(self, batches, target):
        super().__init__()
        self.batches = batches
        self.target = target

    def on_train_begin(self, logs=None):
        self._total = np.zeros(self.model.num_members)

    def on_epoch_end(self, epoch, logs=None):
        xs, ys = self.batches.next(1)
        x = keras.tree.map_structure(lambda each: each[0], xs)
        self._total += self.model.evaluate(x, ys[0][0])["accuracy"]
        self.model.reached |= self._total / (epoch + 1) > self.target


class _Cell:
    """A cell, and the records that the article's code had for it."""

    def __init__(self, job, cell):
        self.cell = cell
        self.protocol = job.protocol
        inputs = "random" if cell.inputs == "random_pos" else cell.inputs
        self.problem = open_problem(
            cell.task, inputs, job.data, job.protocol.tolerance
        )
        self.label = self.problem.label("train")
        self.test = self._all("test"), self.label
        self.x = self.problem.x("train")
        if inputs == "one_hot":
            parts = zip(*(self._all(split) for split in SPLITS), strict=True)
            self.x = [np.concatenate(part) for part in parts]

    def run(self, send):
        """Returns the cell's `Result`."""
        started = time.perf_counter()
        protocol = self.protocol
        rate, best = self._search(send)
        if best.scores["accuracy"] <= protocol.target:
            longer = self._train(rate, protocol.train_steps)
            if longer.scores["accuracy"] > best.scores["accuracy"]:
                best = longer
        send("steps", protocol.train_steps)
        return to_result(
            self.cell,
            self._hyperparameters(rate),
            self.problem,
            self._build(self.cell.network, rate),
            best,
            time.perf_counter() - started,
            protocol,
        )

    def _search(self, send):
        """Returns the learning rate that is taken, and its trial."""
        protocol = self.protocol
        trials = {}
        for rate in protocol.learning_rates:
            trial = self._train(rate, protocol.search_steps)
            trials[rate] = trial
            send("trials", [self._trial(rate, trial)])
            send("steps", protocol.search_steps)
            accuracies = [each.scores["accuracy"] for each in trials.values()]
            if is_over(accuracies, protocol.target):
                break
        left = len(protocol.learning_rates) - len(trials)
        send("steps", left * protocol.search_steps)
        if accuracies[-1] >= protocol.target:
            return rate, trial
        return min(
            trials.items(),
            key=lambda each: np.nan_to_num(each[1].scores["loss"], nan=np.inf),
        )

    def _train(self, rate, steps):
        """Trains the network; returns a `Trained`."""
        protocol, seed = self.protocol, self.cell.seed
        population = Population([self._build(self.cell.network, rate)])
        # Other batches than those of the training.
        batches = Batches(
            self.x, self.label, protocol.batch_size, seed=[seed, 1]
        )
        every = min(protocol.check_steps, steps)
        population.fit(
            self.x,
            self.label,
            batch_size=protocol.batch_size,
            epochs=steps // every,
            steps_per_epoch=every,
            seed=seed,
            callbacks=[StopByBatches(batches, protocol.target)],
        )
        scores = population.evaluate(*self.test)
        if issubclass(find_network(self.cell.network), DenseResidual):
            scores["accuracy_with_skips"] = scores["accuracy"]
            scores |= self._without_skips(population).evaluate(*self.test)
        return Trained(
            functools.partial(population.member_weights, 0),
            int(population.steps[0]),
            {name: float(value) for name, (value,) in scores.items()},
        )

    def _without_skips(self, population):
        """Returns it as the article's code evaluated it."""
        twin = Population([self._build("dense", 1.0)])
        for mine, theirs in zip(
            twin.member_variables, population.member_variables, strict=True
        ):
            mine.assign(theirs.value)
        return twin

    def _build(self, network, rate):
        model = find_network(network)(self.problem).build(
            self._hyperparameters(rate)
        )
        if self.cell.activation == "selu":
            for i, layer in enumerate(model.layers):
                if isinstance(layer, keras.layers.Dense):
                    draw = keras.initializers.LecunNormal(
                        100 * self.cell.seed + i
                    )
                    layer.kernel.assign(draw(layer.kernel.shape))
        return model

    def _hyperparameters(self, rate):
        return hyperparameters(
            depth=self.cell.depth,
            activation=self.cell.activation,
            seed=self.cell.seed,
            learning_rate=rate,
        )

    def _trial(self, rate, trial):
        loss = trial.scores["loss"]
        return Trial.of(
            self.cell,
            learning_rate=rate,
            accuracy=trial.scores["accuracy"],
            loss=loss,
            steps=trial.steps,
            status=Status.DONE if np.isfinite(loss) else Status.DIVERGED,
        )

    def _all(self, split):
        return [each[:] for each in self.problem.x(split)]
