import csv
import os

import keras
import numpy as np

from kmul._validation import check_choice
from kmul._validation import check_positive_integer


class LayerMonitor(keras.callbacks.Callback):
    """One number for each layer over training: a table, curves, a figure.

    A subclass has `measure`, which gives a dictionary from names of layers to
    numbers, and names them in `quantity`.

    Args:
        frequency: `"epoch"` to measure after every epoch, or a positive
            integer to measure whenever that many batches are done. There is
            one measure more, before training.
        log_dir: Directory for curves that TensorBoard shows, or `None`.
    """

    quantity = None
    logarithmic = False

    def __init__(self, frequency="epoch", log_dir=None):
        super().__init__()
        if isinstance(frequency, str):
            check_choice("frequency", frequency, ("epoch",))
        else:
            frequency = check_positive_integer("frequency", frequency)
        self.frequency = frequency
        self.log_dir = log_dir
        self.rows = []
        self._step = 0
        self._writer = None
        if log_dir is not None:
            self._writer = _summary_writer(log_dir)

    def measure(self):
        raise NotImplementedError

    def reset(self):
        """Forgets all measures; the next training starts at step 0."""
        self.rows = []
        self._step = 0

    def on_train_begin(self, logs=None):
        if not self.rows or self.rows[-1]["step"] != self._step:
            self._record()

    def on_train_batch_end(self, batch, logs=None):
        self._step += 1
        if self.frequency != "epoch" and self._step % self.frequency == 0:
            self._record()

    def on_epoch_end(self, epoch, logs=None):
        if self.frequency == "epoch":
            self._record()

    def on_train_end(self, logs=None):
        if self._writer is not None:
            self._writer.flush()

    @property
    def layers(self):
        """Names of the layers, the first one first."""
        return [name for name in self._columns() if name != "step"]

    @property
    def steps(self):
        """Array of the steps of the measures, 0 for before training."""
        return np.array([row["step"] for row in self.rows])

    @property
    def values(self):
        """Array of shape (steps, layers)."""
        names = self.layers
        return np.array([[row[name] for name in names] for row in self.rows])

    def to_csv(self, path):
        """Writes a row for each step, with a column for each layer."""
        columns = self._columns()
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.rows)

    def figure(self, path=None):
        """Draws layers × training, and writes it to `path` if given.

        On a logarithmic scale a number of 0 or below leaves its cell blank.
        Needs matplotlib.

        Returns:
            A `matplotlib.figure.Figure`.
        """
        from matplotlib import colors
        from matplotlib.figure import Figure

        steps, values = self.steps, self.values
        norm = None
        if self.logarithmic and (values > 0).any():
            positive = values[values > 0]
            norm = colors.LogNorm(positive.min(), positive.max() * (1 + 1e-6))
        figure = Figure(
            figsize=(7, 1.2 + 0.4 * len(self.layers)), layout="constrained"
        )
        axes = figure.add_subplot()
        # Each measure is drawn up to halfway to the next one.
        between = (steps[1:] + steps[:-1]) / 2
        edges = np.concatenate([steps[:1], between, steps[-1:]])
        if len(steps) == 1:
            edges = steps[0] + np.array([0, 1])
        drawn = axes.pcolormesh(
            edges,
            np.arange(len(self.layers) + 1) + 0.5,
            values.T,
            norm=norm,
            vmin=None if norm else 0,
            cmap="viridis",
        )
        axes.set_yticks(np.arange(len(self.layers)) + 1, self.layers)
        axes.set_xlabel("training step")
        figure.colorbar(drawn, label=self.quantity)
        if path is not None:
            figure.savefig(path, dpi=150)
        return figure

    def _columns(self):
        if not self.rows:
            raise ValueError(
                f"`{type(self).__name__}` has measured nothing yet. Pass it "
                "to `model.fit(..., callbacks=[monitor])` first."
            )
        return list(self.rows[0])

    def _record(self):
        measured = {
            name: float(value) for name, value in self.measure().items()
        }
        self.rows.append({"step": self._step, **measured})
        if self._writer is not None:
            for name, value in measured.items():
                self._writer.add_scalar(
                    f"{self.quantity}/{name}", value, self._step
                )


def check_functional(monitor, model):
    """Raises a `ValueError` unless the model's inputs are known tensors."""
    if not hasattr(model, "inputs"):
        raise ValueError(
            f"`{type(monitor).__name__}` should be used with a functional "
            f"model. Received: model={model}"
        )


def _summary_writer(log_dir):
    try:
        from tensorboard.summary import Writer
    except ImportError as error:
        raise ImportError(
            "`log_dir` needs TensorBoard: pip install tensorboard"
        ) from error
    return Writer(os.fspath(log_dir))
