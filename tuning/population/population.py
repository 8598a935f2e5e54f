"""Many members of one architecture, trained as one Keras model."""

import math
import warnings

import keras
import numpy as np
from keras import ops

from kmul._validation import check_positive_integer
from tuning.population.architecture import evaluate_program
from tuning.population.architecture import train_program
from tuning.population.batches import Batches
from tuning.population.members import Members

# Steps that one call of the compiled loop takes at most: their batches are in
# memory together, and losses come back after each call.
STEPS_PER_CALL = 256


class Population(Members):
    """Trains many members of one architecture in one `fit`.

    ```
    θ_i ← optimizer(θ_i, ∇ loss(f(x; θ_i), y_{l_i}), rate_i)    for each i
    ```

    Every member has its own weights, optimizer state, learning rate and, if
    wanted, labels `l_i`; all see the same batches of `x` in the same order.
    The loop over steps and members is compiled, so nothing is paid per step in
    Python (on torch, one Python step per batch remains, for all members
    together). A member's numbers do not depend on the others': one that
    diverges leaves the others as they are.

    Args:
        members: List of built and compiled Keras models of one architecture
            (they may differ in learning rate and weights). They give the
            initial weights, and are not changed. The same model may be given
            several times.
        learning_rates: List of a positive number per member. Default: those
            of the members' optimizers.
        vectorize: Boolean, whether members take each step together, which
            suits an accelerator, or each is trained over many steps in turn,
            which keeps it in a CPU's cache. Default: by the device. Members
            of some hundred parameters are also faster together on a CPU: nine
            of 200 six times on JAX.
        **kwargs: The arguments of every model, `name` for example.

    A member may be any model that Keras's own training step trains, with an
    optimizer of `keras.optimizers`, or on JAX with any. State that changes in
    training (batch normalisation) is kept per member.

    A population is a Keras model, not only the owner of some: so its weights
    are counted, saved and loaded, and it is called, as any model's. Its `fit`
    and `evaluate` have arguments of their own, as its results are arrays, a
    number per member.

    Call arguments:
        inputs: A member's inputs.

    Output shape:
        `(batch, members, ...)`, the members' outputs side by side.

    Attributes:
        steps: Integer array, the optimizer steps that each member has taken.
        reached: Boolean array, the members that have reached `target`.
        diverged: Boolean array, the members whose loss is not finite.

    Example:

    ```python
    models = []
    for rate in (1e-3, 1e-2, 1e-1):
        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.Adam(rate), "mse")
        models.append(model)
    population = tuning.Population(models)
    history = population.fit(x, y, epochs=10, validation_data=(x_val, y_val))
    best = population.member(np.nanargmin(history.history["val_loss"][-1]))
    ```
    """

    def __init__(self, members, learning_rates=None, vectorize=None, **kwargs):
        super().__init__(members, learning_rates, vectorize, **kwargs)
        self.steps = np.zeros(self.num_members, int)
        self.reached = np.zeros(self.num_members, bool)
        self.diverged = np.zeros(self.num_members, bool)

    def fit(
        self,
        x,
        y,
        label_indices=None,
        batch_size=32,
        epochs=1,
        steps_per_epoch=None,
        shuffle=True,
        seed=0,
        validation_data=None,
        monitor=None,
        target=None,
        mode="max",
        callbacks=None,
    ):
        """Trains all members on the same batches.

        Args:
            x: Array of shape `(records, ...)`, or nested arrays.
            y: Array of labels of shape `(records, ...)`; or a function of `x`
                that computes the labels of some records; or a list of
                these, of which each member learns one.
            label_indices: List of an integer per member, the index into `y`
                of what it learns. Default: 0.
            batch_size: Positive integer. Records that do not fill a batch at
                the end of a pass are left out of it.
            epochs: Positive integer. After each, the members are evaluated,
                and callbacks are called.
            steps_per_epoch: Positive integer. Default: one pass over `x`.
                Passes continue across epochs.
            shuffle: Boolean, whether each pass has an order of its own.
            seed: Integer, the seed of the orders.
            validation_data: Tuple `(x, y)`, of the forms above.
            monitor: Name of a validation metric, `"val_loss"` for example. A
                member that has reached `target` in it keeps its weights, and
                no longer changes.
            target: Number, compared with what is monitored.
            mode: `"max"` if what is monitored should be at least `target`,
                `"min"` if at most.
            callbacks: List of Keras callbacks. Called per epoch, not per
                batch; each log is an array of a number per member.

        Returns:
            A `keras.callbacks.History`; each entry of its `history` is a list
            with an array of a number per member for each epoch. `loss` is the
            mean over the epoch's steps.

        Raises:
            ValueError: An argument does not fit.
        """
        if mode not in ("max", "min"):
            raise ValueError(
                "Invalid value for argument `mode`. Expected 'max' or 'min'. "
                f"Received: mode={mode!r}"
            )
        if (monitor is None) != (target is None):
            raise ValueError(
                "`monitor` and `target` should be given together. Received: "
                f"monitor={monitor!r}, target={target!r}"
            )
        check_positive_integer("epochs", epochs)
        if target is not None and math.isnan(target):
            raise ValueError(
                "Invalid value for argument `target`. Expected a number. "
                f"Received: target={target!r}"
            )
        label_indices = self._label_indices(label_indices, y)
        batches = Batches(x, y, batch_size, shuffle, seed)
        self._architecture().build_metrics(*batches.example())
        if monitor is not None and monitor not in self._monitored():
            raise ValueError(
                "Invalid value for argument `monitor`. Expected one of "
                f"{self._monitored()}. Received: monitor={monitor!r}"
            )
        if monitor is not None and validation_data is None:
            raise ValueError("`monitor` needs `validation_data`.")
        steps_per_epoch = steps_per_epoch or batches.per_pass
        history = keras.callbacks.History()
        callbacks = keras.callbacks.CallbackList(
            [*(callbacks or []), history], model=self
        )
        self.stop_training = False
        callbacks.on_train_begin()
        for epoch in range(epochs):
            callbacks.on_epoch_begin(epoch)
            logs = {
                "loss": self._train(batches, steps_per_epoch, label_indices)
            }
            if validation_data is not None:
                scores = self.evaluate(
                    *validation_data, label_indices=label_indices
                )
                logs.update({f"val_{k}": v for k, v in scores.items()})
            if monitor is not None:
                better = np.greater_equal if mode == "max" else np.less_equal
                self.reached |= ~self.diverged & better(logs[monitor], target)
            callbacks.on_epoch_end(epoch, logs)
            if self.stop_training or not self._active().any():
                break
        callbacks.on_train_end()
        return history

    def evaluate(self, x, y, label_indices=None, batch_size=1000):
        """Returns each member's loss and metrics.

        Args:
            x, y, label_indices: As for `fit`.
            batch_size: Positive integer.

        Returns:
            A dictionary of `loss` and the metrics' names, each an array of a
            number per member.
        """
        label_indices = self._label_indices(label_indices, y)
        batches = Batches(x, y, batch_size, shuffle=False, keep_all=True)
        self._architecture().build_metrics(*batches.example())
        steps = batches.steps_at_once(STEPS_PER_CALL)
        return self.evaluate_batches(
            (({"x": xs}, ys) for xs, ys in batches.one_pass(steps)),
            label_indices,
        )

    def evaluate_batches(self, batches, label_indices=None):
        """Returns each member's loss and metrics over batches.

        Args:
            batches: Iterable of pairs, as a compiled fold takes them (see
                `tuning.population.loops`).
            label_indices: Array of an integer per member. Default: 0.

        Returns:
            As for `evaluate`.
        """
        architecture = self._architecture()
        if label_indices is None:
            label_indices = np.zeros(self.num_members, "int32")
        program = evaluate_program(architecture, self._vectorize)
        everyone = np.ones(self.num_members, bool)
        trainable, constant, _ = self.state()
        carry = (trainable, constant, self.initial_metrics())
        for xs, ys in batches:
            carry, _ = program(carry, everyone, label_indices, xs, ys)
        return self.metric_results(carry[2])

    def train_batches(self, batches, active=None):
        """Trains members on batches, as Keras's `fit` would in an epoch.

        Args:
            batches: Iterable of pairs, as a compiled fold takes them (see
                `tuning.population.loops`).
            active: Boolean array, false for members to be left as they are.

        Returns:
            Each member's loss and metrics in training, as from `evaluate`.
        """
        program = train_program(self._architecture(), self._vectorize)
        if active is None:
            active = np.ones(self.num_members, bool)
        labels = np.zeros(self.num_members, "int32")
        carry = (*self.state(), self.initial_metrics())
        try:
            for xs, ys in batches:
                carry, _ = program(carry, active, labels, xs, ys)
                self.steps[active] += len(ys[0])
        finally:
            self.assign_state(carry[:3])
        return self.metric_results(carry[3])

    def build_metrics(self, x, y, sample_weight=None):
        """Creates the metrics' variables from a batch: see `Architecture`."""
        self._architecture().build_metrics(x, y, sample_weight)

    def initial_metrics(self):
        """Returns the members' metrics' variables before any update."""
        return [
            ops.convert_to_tensor(np.stack([value] * self.num_members))
            for value in self._architecture().initial_metrics()
        ]

    def metric_results(self, metrics):
        """Returns a dictionary of names, each with a value per member."""
        results = self._architecture().metric_results(
            [ops.convert_to_numpy(each) for each in metrics]
        )
        return {name: np.asarray(values) for name, values in results.items()}

    def _train(self, batches, steps, label_indices):
        """Takes `steps` steps; returns the mean loss of each member."""
        program = train_program(self._architecture(), self._vectorize)
        calls = math.ceil(steps / batches.steps_at_once(STEPS_PER_CALL))
        per_call = math.ceil(steps / calls)
        state = (*self.state(), [])
        total = np.zeros(self.num_members)
        taken = np.zeros(self.num_members, int)
        pending = []
        try:
            while steps:
                now = min(per_call, steps)
                active = self._active()
                xs, ys = batches.next(now)
                state, losses = program(
                    state, active, label_indices, {"x": xs}, ys
                )
                steps -= now
                pending.append((active, now, losses))
                # The losses of a call are waited for when the next one has
                # been sent off, whose batches are made in the meantime.
                while len(pending) > (1 if steps else 0):
                    active, now, losses = pending.pop(0)
                    losses = ops.convert_to_numpy(losses)
                    total[active] += losses[active].sum(axis=1)
                    taken[active] += now
                    self.diverged[active] |= ~np.isfinite(losses[active, -1])
        finally:
            self.assign_state(state[:3])
            self.steps += taken
        with np.errstate(invalid="ignore"):
            return total / taken

    def _active(self):
        return ~(self.reached | self.diverged)

    def _monitored(self):
        return [f"val_{name}" for name in self._architecture().metric_names]

    def _label_indices(self, indices, y):
        count = len(y) if isinstance(y, list) else 1
        if indices is None:
            return np.zeros(self.num_members, "int32")
        given = np.asarray(indices)
        if (
            given.shape != (self.num_members,)
            or not np.issubdtype(given.dtype, np.integer)
            or not ((given >= 0) & (given < count)).all()
        ):
            raise ValueError(
                "Invalid value for argument `label_indices`. Expected an "
                f"index into the {count} label arrays for each of "
                f"{self.num_members} members. Received: "
                f"label_indices={given.tolist()}"
            )
        return given.astype("int32")


def warn_out_of_memory(members, fewer):
    """Tells how many members were too many, and how many are tried next."""
    warnings.warn(
        f"The device has too little memory for {members} members together; "
        f"going on with {fewer}.",
        stacklevel=3,
    )
