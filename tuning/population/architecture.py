"""The architecture that the members of a population share."""

import functools

import keras
import numpy as np
from keras import ops

from tuning.population.loops import backend_loops
from tuning.population.signature import signature
from tuning.population.stateless_optimizer import check_optimizer
from tuning.population.stateless_optimizer import stateless_optimizer

# What a model may not define itself, as members go through Keras's own.
_OF_KERAS = (
    "compute_loss",
    "compute_metrics",
    "evaluate",
    "fit",
    "get_metrics_result",
    "make_test_function",
    "make_train_function",
    "metrics",
    "reset_metrics",
    "test_step",
    "train_step",
)


class Architecture:
    """The computation that a compiled Keras model stands for.

    Two models of one architecture compute the same function of their weights
    and are trained by the same rule, but for the learning rate and the initial
    weights. Architectures are equal when their `key`s are.

    Args:
        model: A built and compiled Keras model, trained by Keras's own
            training step.

    Attributes:
        key: A hashable value that two models share when they are of one
            architecture.
        metric_names: The names under which Keras logs the model's metrics,
            the loss first. Known after `build_metrics`.

    Raises:
        ValueError: The model cannot be a member of a population.
    """

    def __init__(self, model):
        _check(model)
        check_optimizer(model.optimizer)
        self.model = model
        self.key = signature(model)
        self.metric_names = None

    def __eq__(self, other):
        return isinstance(other, Architecture) and self.key == other.key

    def __hash__(self):
        return hash(self.key)

    @functools.cached_property
    def _stateless(self):
        # Most architectures are only compared, and need no optimizer.
        return stateless_optimizer(
            self.model.optimizer, self.model.trainable_variables
        )

    @property
    def optimizer(self):
        """A copy of the model's optimizer, with one set of variables."""
        return self._stateless[0]

    def build_metrics(self, x, y, sample_weight=None):
        """Creates the variables of losses and metrics, as `fit` would.

        Args:
            x, y, sample_weight: A batch, as arrays: some metrics depend on
                its shapes.
        """
        if self.metric_names is None:
            build_as_fit_does(self.model, x, y, sample_weight)
            self.model.reset_metrics()
            self.metric_names = list(self.model.get_metrics_result())

    def initial_metrics(self):
        """Returns the metrics' variables before any update, as arrays."""
        self.model.reset_metrics()
        return [
            ops.convert_to_numpy(variable)
            for variable in self.model.metrics_variables
        ]

    def metric_results(self, values):
        """Returns each metric's value for each member.

        Args:
            values: List of an array for each of the metrics' variables, the
                members along the first axis.

        Returns:
            A dictionary of the names, each with a list or array of a number
            per member.
        """
        flat = _flat_metrics(self.model)
        variables = [v for metric in flat for v in metric.variables]
        if len(flat) != len(self.metric_names) or [*map(id, variables)] != [
            *map(id, self.model.metrics_variables)
        ]:
            return self._results_one_by_one(values)
        values = iter(values)
        results = {}
        for name, metric in zip(self.metric_names, flat, strict=True):
            mine = [next(values) for _ in metric.variables]
            if type(metric).result is keras.metrics.Mean.result:
                total, count = mine
                results[name] = np.divide(
                    total, count, out=np.zeros_like(total), where=count != 0
                )
                continue
            results[name] = [
                ops.convert_to_numpy(metric.stateless_result(list(each)))
                for each in zip(*mine, strict=True)
            ]
        return results

    def _results_one_by_one(self, values):
        results = {name: [] for name in self.metric_names}
        for member in zip(*values, strict=True):
            for variable, value in zip(
                self.model.metrics_variables, member, strict=True
            ):
                variable.assign(value)
            for name, value in self.model.get_metrics_result().items():
                results[name].append(ops.convert_to_numpy(value))
        return results

    def train_step(self, state, batch, y):
        """Takes one member's optimizer step: `state → (state, loss)`.

        Args:
            state: Tuple of lists: the trainable variables, the others, the
                optimizer's and the metrics'. Without the last, metrics are
                left alone.
            batch: Dictionary of `x`, and of `y` and `sample_weight` where all
                members learn the same.
            y: The labels, unless the batch has them.
        """
        trainable, constant, optimizer_values, metrics = state
        (_, (loss, constant, metrics)), gradients = (
            backend_loops().value_and_grad(self._scaled_loss)(
                trainable, constant, optimizer_values, metrics, batch, y
            )
        )
        _, apply = self._stateless
        trainable, optimizer_values = apply(
            optimizer_values, gradients, trainable
        )
        state = (trainable, constant, optimizer_values, metrics)
        return state, ops.cast(loss, "float32")

    def evaluate_step(self, state, batch, y):
        """Adds one batch to a member's metrics: `state → (state, loss)`."""
        trainable, constant, metrics = state
        loss, constant, metrics = self._run(
            trainable, constant, metrics, batch, y, training=False
        )
        return (trainable, constant, metrics), ops.cast(loss, "float32")

    def _scaled_loss(
        self, trainable, constant, optimizer_values, metrics, batch, y
    ):
        loss, constant, metrics = self._run(
            trainable, constant, metrics, batch, y, training=True
        )
        mapping = zip(self.optimizer.variables, optimizer_values, strict=True)
        with keras.StatelessScope(list(mapping)):
            scaled = self.optimizer.scale_loss(loss)
        return scaled, (loss, constant, metrics)

    def _run(self, trainable, constant, metrics, batch, y, training):
        """Does what Keras's own step does before the optimizer."""
        model = self.model
        x, y = batch["x"], batch.get("y", y)
        sample_weight = batch.get("sample_weight")
        metric_variables = model.metrics_variables if metrics else []
        variables = [
            model.trainable_variables,
            model.non_trainable_variables,
            metric_variables,
        ]
        mapping = [
            pair
            for pairs in zip(
                variables, (trainable, constant, metrics), strict=True
            )
            for pair in zip(*pairs, strict=True)
        ]
        with keras.StatelessScope(mapping, collect_losses=True) as scope:
            predictions = model(x, training=training)
            loss = model.compute_loss(
                x, y, predictions, sample_weight, training=training
            )
            if metrics:
                count = keras.tree.flatten(x)[0].shape[0]
                for metric in model.metrics:
                    if metric.name == "compile_metrics":
                        metric.update_state(y, predictions, sample_weight)
                # Keras keeps the loss's tracker in front.
                model.metrics[0].update_state(loss, sample_weight=count)
        constant, metrics = (
            [scope.get_current_value(each) for each in some]
            for some in variables[1:]
        )
        return loss, constant, metrics


def build_as_fit_does(model, x, y, sample_weight=None):
    """Builds a model, its losses and metrics from a batch.

    Keras has no public way to do so that neither trains nor compiles.
    """
    model._symbolic_build(data_batch=(x, y, sample_weight))


@functools.lru_cache(maxsize=32)
def train_program(architecture, vectorize):
    """Returns the compiled training loop, shared by equal architectures."""
    return backend_loops().fold(architecture.train_step, vectorize)


@functools.lru_cache(maxsize=32)
def evaluate_program(architecture, vectorize):
    """Returns the compiled evaluation loop, shared likewise."""
    return backend_loops().fold(architecture.evaluate_step, vectorize)


def _flat_metrics(model):
    """Returns the metrics with the compiled ones in place of their list."""
    flat = []
    for metric in model.metrics:
        is_list = metric.name == "compile_metrics"
        flat.extend(metric.metrics if is_list else [metric])
    return flat


def _check(model):
    if not isinstance(model, keras.Model) or not model.built:
        raise ValueError(
            "A population's member should be a built Keras model. "
            f"Received: {model!r}"
        )
    if not model.compiled or model.optimizer is None or model.loss is None:
        raise ValueError(
            "A population's member should be compiled with an optimizer and a "
            f"loss. Received: the model {model.name!r}, which is not."
        )
    for name in _OF_KERAS:
        if getattr(type(model), name) is not getattr(keras.Model, name):
            raise ValueError(
                "A population's member should be trained as Keras does. "
                f"Received: a {type(model).__name__} with its own `{name}`"
            )
    if model.run_eagerly:
        raise ValueError(
            "A population's member should be compiled without "
            "`run_eagerly=True`."
        )
    if not model.trainable_variables:
        raise ValueError(
            "A population's member should have weights to train. Received: "
            f"the model {model.name!r}, which has none."
        )
    if keras.config.backend() == "torch" and (seeds := _seeds_in_use(model)):
        raise ValueError(
            "On torch a population's member can draw random numbers in "
            "`Dropout` without a seed alone. Received: a model with the "
            f"seeds {', '.join(seeds)}"
        )


def _seeds_in_use(model):
    """Returns the paths of seeds that torch's generators would be set to.

    Keras sets a generator's seed from a tensor's value for each draw, which
    can be neither recorded nor mapped over members. Without a seed of its
    own, dropout takes PyTorch's function instead, which can. Recurrent layers
    have a seed also where they drop nothing.
    """
    harmless = set()
    # There is no public list of all layers, also those within others.
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Dropout):
            if type(layer) is not keras.layers.Dropout:
                continue
            drops = layer.seed is not None or layer.noise_shape is not None
        else:
            rates = ("dropout", "recurrent_dropout")
            drops = not any(hasattr(layer, rate) for rate in rates)
            for rate in rates:
                # A number, or a layer by that name.
                drops = drops or getattr(layer, rate, 0) != 0
        seed = getattr(layer, "seed_generator", None)
        if seed is not None and not drops:
            harmless.add(id(seed.state))
    return [
        variable.path
        for variable in model.non_trainable_variables
        if "seed_generator" in variable.path and id(variable) not in harmless
    ]
