"""What tells two models apart that are not of one architecture."""

import json
import threading
import warnings

import keras

from tuning.population.schedules import schedule_in
from tuning.population.schedules import schedule_numbers
from tuning.population.schedules import with_numbers

# Filters of warnings belong to the process, and threads also compare models.
_WARNINGS = threading.Lock()


def signature(model):
    """Returns a value that two models share when they compute the same.

    Initial weights, seeds, names and the learning rate, or the numbers of its
    schedule, make no difference. Where a part of a model cannot be
    compared (a function that sees variables around it, a class that does not
    say what it was made of), the model is taken for the only one of its
    architecture.
    """
    with _WARNINGS, warnings.catch_warnings():
        # Of what it would take to load them: functions are compared, below.
        warnings.simplefilter("ignore")
        compiled = model.get_compile_config()
        config = keras.saving.serialize_keras_object(model)["config"]
    optimizer = _without_rate(compiled["optimizer"]["config"])
    if "inner_optimizer" in optimizer:
        inner = optimizer["inner_optimizer"]
        optimizer["inner_optimizer"] = [
            inner["class_name"],
            _without_rate(inner["config"]),
        ]
    names = {model.name: "model"}
    _number_layers(config, names)
    rule = [
        _class(type(model.optimizer)),
        optimizer,
        _nameless(compiled.get("loss")),
        compiled.get("loss_weights"),
        compiled.get("metrics"),
        compiled.get("weighted_metrics"),
        model.jit_compile,
    ]
    outputs = getattr(model, "output_names", None) or []
    if len(outputs) > 1:
        # Losses and metrics are given, and logged, under these.
        rule.append(outputs)
    own = []
    # There is no public list of all layers, also those within others.
    for layer in model._flatten_layers():
        own.append(_class(type(layer)))
        if not _is_trusted(type(layer)):
            own.append(_own_values(layer))
    # What was compiled, before it was turned into names.
    for objects in (
        model.loss,
        *(
            # Keras keeps what a user gave nowhere public.
            getattr(model._compile_metrics, each, None)
            for each in ("_user_metrics", "_user_weighted_metrics")
        ),
    ):
        own.extend(_value(each) for each in keras.tree.flatten(objects))
    weights = [
        (tuple(v.shape), str(v.dtype), v.trainable) for v in model.weights
    ]
    return json.dumps(
        [
            _normalized(config, names, _strangers(config, model)),
            _normalized(rule, {}, {}),
            own,
            weights,
        ],
        sort_keys=True,
        default=_value,
    )


def _nameless(config):
    """Leaves out names, which objects are numbered by."""
    if isinstance(config, dict):
        return {k: _nameless(v) for k, v in config.items() if k != "name"}
    if isinstance(config, (list, tuple)):
        return [_nameless(each) for each in config]
    return config


def _without_rate(config):
    config = {key: config[key] for key in config if key != "name"}
    if isinstance(config.get("learning_rate"), (int, float)):
        config["learning_rate"] = None
    elif "learning_rate" in config and schedule_in(config) is not None:
        numbers = with_numbers(config, [None for _ in schedule_numbers(config)])
        config["learning_rate"] = {
            **config["learning_rate"],
            "config": {**numbers, "name": None},
        }
    return config


def _class(kind):
    return f"{kind.__module__}.{kind.__qualname__}.{id(kind)}"


def _is_trusted(kind):
    """Whether a class's configuration says all about its objects."""
    return (
        kind.__module__.partition(".")[0]
        in (
            "keras",
            "kmul",
        )
        or keras.saving.get_registered_name(kind) != kind.__name__
    )


def _own_values(thing):
    """Returns what an object of an own class holds beside Keras's parts."""
    base = (
        keras.layers.Layer() if isinstance(thing, keras.layers.Layer) else None
    )
    known = set(vars(base)) if base is not None else set()
    return {
        name: _value(value)
        for name, value in sorted(vars(thing).items())
        if name not in known
        and name not in ("name", "optimizer")
        and not name.startswith(("_compile", "_jit", "_loss_tracker"))
        and name not in vars(_bare_model())
    }


_BARE = []


def _bare_model():
    if not _BARE:
        bare = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        bare.compile("sgd", "mse", metrics=["mae"])
        _BARE.append(bare)
    return _BARE[0]


def _value(value):
    """Returns something that is equal for values that do the same."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (keras.layers.Layer, keras.Variable)):
        # Compared by its own configuration.
        return "layer or variable"
    if isinstance(value, keras.DTypePolicy):
        return value.name
    if isinstance(value, (list, tuple)):
        return [_value(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _value(each) for name, each in value.items()}
    if isinstance(value, type):
        return _class(value)
    kind = type(value)
    if hasattr(value, "__code__"):
        return _function(value)
    if _is_trusted(kind):
        if hasattr(value, "get_config"):
            config = {**value.get_config(), "name": None}
            return [_class(kind), {k: _value(v) for k, v in config.items()}]
    elif isinstance(value, (keras.losses.Loss, keras.metrics.Metric)):
        return [
            _class(kind),
            {
                name: _value(each)
                for name, each in vars(value).items()
                if not name.startswith("_") and name != "name"
            },
        ]
    # It cannot be compared: equal to itself only.
    return f"{_class(kind)} at {id(value)}"


def _function(function):
    """Two functions made by one `def` differ by what they see around them."""
    if function.__module__.partition(".")[0] == "keras":
        return f"{function.__module__}.{function.__qualname__}"
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return [
        f"{function.__module__}.{function.__qualname__}",
        # Equal code is one object where it comes from one `def`.
        id(function.__code__),
        _value(cells),
        _value(function.__defaults__),
        _value(function.__kwdefaults__),
        _value(getattr(function, "__self__", None)),
    ]


def _strangers(config, model):
    """Marks parts of a configuration that do not say what they are.

    Keras writes a function, or an object of a class that is not registered,
    as its name. Layers are compared by their values; the rest is taken to be
    different in every model.
    """
    marks = {}

    def walk(part):
        if isinstance(part, (list, tuple)):
            for each in part:
                walk(each)
        elif isinstance(part, dict):
            name = part.get("registered_name")
            is_function = part.get("class_name") == "function"
            if part.get("class_name") == "__lambda__":
                # Its code and what it sees around it are written out.
                pass
            elif is_function and not _is_keras_function(part.get("config")):
                marks[id(part)] = f"function of {id(model)}"
            elif (
                "class_name" in part
                and "config" in part
                and name == part["class_name"]
                and not str(part.get("module")).startswith(("keras", "kmul"))
                and part["class_name"] not in layers
            ):
                marks[id(part)] = f"object of {id(model)}"
            for each in part.values():
                walk(each)

    layers = {type(layer).__name__ for layer in model._flatten_layers()}
    walk(config)
    return marks


def _is_keras_function(name):
    if not isinstance(name, str):
        return False
    if keras.saving.get_registered_object(name) is not None:
        return True
    found = getattr(keras.activations, name, None)
    return found is not None


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
                        # A layer's own `get_config` may leave it out.
                        name = layer["config"].get("name", layer.get("name"))
                        names.setdefault(name, f"layer_{len(names)}")
            _number_layers(value, names)


def _normalized(config, names, marks):
    """Leaves out of a config what the computation does not depend on."""
    if isinstance(config, dict):
        kept = {
            key: names.get(value, value)
            if key == "name" and isinstance(value, str)
            else _normalized(value, names, marks)
            for key, value in config.items()
            if key not in ("seed", "build_config", "compile_config")
            and not key.endswith("_initializer")
        }
        if id(config) in marks:
            kept["mark"] = marks[id(config)]
        return kept
    if isinstance(config, (list, tuple)):
        # A reference to a layer's output: [name, node index, tensor index].
        if len(config) >= 3 and isinstance(config[0], str):
            return [names.get(config[0], config[0]), *config[1:]]
        return [_normalized(each, names, marks) for each in config]
    return config
