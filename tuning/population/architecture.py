"""What the members of a population have in common."""

import functools
import json

import keras
from keras import ops

from tuning.population.loops import backend_loops
from tuning.population.stateless_optimizer import stateless_optimizer


class Architecture:
    """The computation that a compiled Keras model stands for.

    Two models of one architecture compute the same function of their weights
    and are trained by the same rule, but for the learning rate and the initial
    weights. Architectures are equal when their `key`s are.

    Args:
        model: A built and compiled Keras model with one loss, trained by
            Keras's own training step.

    Raises:
        ValueError: The model cannot be a member of a population.
    """

    def __init__(self, model):
        _check(model)
        self.model = model
        compiled = model.get_compile_config()
        self.loss = keras.losses.get(model.loss)
        self.metrics = _metrics(compiled.get("metrics"))
        self.optimizer, self._apply = stateless_optimizer(
            model.optimizer, model.trainable_variables
        )
        self.key = _key(model, compiled)

    def __eq__(self, other):
        return isinstance(other, Architecture) and self.key == other.key

    def __hash__(self):
        return hash(self.key)

    def initial_metrics(self):
        """Returns the metrics' variables before any update, as arrays."""
        values = []
        for metric in self.metrics:
            metric.reset_state()
            values.append([ops.convert_to_numpy(v) for v in metric.variables])
        return values

    def train_step(self, state, x, y):
        """One member's optimizer step: `state → (state, loss)`."""
        trainable, constant, optimizer_values = state
        (loss, constant), gradients = backend_loops().value_and_grad(
            self._loss
        )(trainable, constant, x, y)
        trainable, optimizer_values = self._apply(
            optimizer_values, gradients, trainable
        )
        state = (trainable, list(constant), optimizer_values)
        return state, ops.cast(loss, "float32")

    def evaluate_step(self, carry, x, y):
        """Adds one batch to a member's loss and metrics."""
        state, metrics, total = carry
        trainable, constant, _ = state
        predictions, _, penalties = self.model.stateless_call(
            trainable, constant, x, training=False, return_losses=True
        )
        loss = ops.cast(self._total_loss(y, predictions, penalties), "float32")
        metrics = [
            list(metric.stateless_update_state(values, y, predictions))
            for metric, values in zip(self.metrics, metrics, strict=True)
        ]
        return (state, metrics, total + loss * y.shape[0]), loss

    def _loss(self, trainable, constant, x, y):
        predictions, constant, penalties = self.model.stateless_call(
            trainable, constant, x, training=True, return_losses=True
        )
        return self._total_loss(y, predictions, penalties), constant

    def _total_loss(self, y, predictions, penalties):
        total = ops.mean(self.loss(y, predictions))
        for penalty in penalties:
            total = total + ops.cast(ops.sum(penalty), total.dtype)
        return total


@functools.lru_cache(maxsize=32)
def train_program(architecture, vectorize):
    """Returns the compiled training loop, shared by equal architectures."""
    return backend_loops().fold(architecture.train_step, vectorize)


@functools.lru_cache(maxsize=32)
def evaluate_program(architecture, vectorize):
    """Returns the compiled evaluation loop, shared likewise."""
    return backend_loops().fold(architecture.evaluate_step, vectorize)


def _check(model):
    if not isinstance(model, keras.Model) or not model.built:
        raise ValueError(
            "A population's member should be a built Keras model. "
            f"Received: {model!r}"
        )
    if not getattr(model, "compiled", False):
        raise ValueError(
            "A population's member should be compiled with an optimizer and a "
            f"loss. Received: the model {model.name!r}, which is not."
        )
    for method in ("train_step", "compute_loss", "fit"):
        if getattr(type(model), method) is not getattr(keras.Model, method):
            raise ValueError(
                "A population's member should be trained as Keras does. "
                f"Received: a {type(model).__name__} with its own `{method}`"
            )
    if isinstance(model.loss, (dict, list, tuple)) or model.loss is None:
        raise ValueError(
            "A population's member should have exactly one loss. "
            f"Received: loss={model.loss!r}"
        )
    random = [
        v.path
        for v in model.non_trainable_variables
        if "seed_generator" in v.path
    ]
    if random and keras.config.backend() == "torch":
        raise ValueError(
            "On torch a population's member cannot draw random numbers while "
            "it is trained (dropout and noise layers do). Received: a model "
            f"with the seeds {', '.join(random)}"
        )


def _metrics(config):
    if config is None:
        return []
    config = config if isinstance(config, list) else [config]
    metrics = []
    for each in config:
        if isinstance(each, str) and each in (
            "accuracy",
            "acc",
            "crossentropy",
        ):
            raise ValueError(
                "The metrics of a population's member should be named in "
                "full, `keras.metrics.SparseCategoricalAccuracy()` for "
                f"example. Received: metrics={each!r}"
            )
        if isinstance(each, list):
            raise ValueError(
                "The metrics of a population's member should be a flat list. "
                f"Received: metrics={config!r}"
            )
        metric = keras.metrics.get(each)
        if not isinstance(metric, keras.metrics.Metric):
            metric = keras.metrics.MeanMetricWrapper(
                metric, name=metric.__name__
            )
        metrics.append(metric)
    return metrics


def _key(model, compiled):
    """A string that two models share when they compute the same function."""
    config = keras.saving.serialize_keras_object(model)
    optimizer = {
        **compiled["optimizer"]["config"],
        "learning_rate": None,
        "name": None,
    }
    weights = [
        (tuple(v.shape), str(v.dtype), v.trainable) for v in model.weights
    ]
    names = {model.name: "model"}
    _number_layers(config["config"], names)
    return json.dumps(
        [
            _normalized(config["config"], names),
            type(model).__name__,
            compiled["optimizer"]["class_name"],
            optimizer,
            compiled.get("loss"),
            compiled.get("metrics"),
            weights,
        ],
        sort_keys=True,
        default=str,
    )


def _number_layers(config, names):
    """Adds to `names` those of all layers, also nested ones and operations."""
    if isinstance(config, (list, tuple)):
        for each in config:
            _number_layers(each, names)
    elif isinstance(config, dict):
        for key, value in config.items():
            if key in ("layer", "layers"):
                layers = value if isinstance(value, list) else [value]
                for layer in layers:
                    if isinstance(layer, dict) and "config" in layer:
                        name = layer["config"].get("name")
                        names.setdefault(name, f"layer_{len(names)}")
            _number_layers(value, names)


def _normalized(config, names):
    """Leaves out of a config what the computation does not depend on."""
    if isinstance(config, dict):
        return {
            key: names.get(value, value)
            if key == "name" and isinstance(value, str)
            else _normalized(value, names)
            for key, value in config.items()
            if key not in ("seed", "build_config", "compile_config")
            and not key.endswith("_initializer")
        }
    if isinstance(config, (list, tuple)):
        # A reference to a layer's output: [name, node index, tensor index].
        if len(config) >= 3 and isinstance(config[0], str):
            return [names.get(config[0], config[0]), *config[1:]]
        return [_normalized(each, names) for each in config]
    return config
