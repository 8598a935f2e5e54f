"""The arguments that a hypermodel's own `fit` passes on to Keras's."""

import ast
import inspect
import textwrap

import keras_tuner


def has_own_fit(hypermodel):
    """Whether a hypermodel says how its models are trained."""
    fit = getattr(hypermodel.fit, "__func__", None)
    return fit is not keras_tuner.HyperModel.fit


def why_unknown(hypermodel):
    """Returns why the arguments cannot be known in advance, or None.

    They can be for `return model.fit(…)` and `return super().fit(…)`, whatever
    is computed before, as long as the model has no part in it.
    """
    name = type(hypermodel).__name__
    if "fit" in vars(hypermodel):
        return f"{name} has its own `fit`"
    for kind in type(hypermodel).__mro__:
        if kind is keras_tuner.HyperModel:
            return None
        if "fit" in vars(kind) and not _only_calls_fit(vars(kind)["fit"]):
            return (
                f"the `fit` of {name} does more than `return model.fit(…)` "
                "with its model"
            )
    return f"{name} has its own `fit`"


def fit_call(hypermodel, hp, args, kwargs):
    """Returns the arguments that an own `fit` gives to Keras's.

    Hyperparameters that it asks for are added to `hp`.

    Returns:
        A tuple and a dictionary.
    """
    return hypermodel.fit(hp, _Recorder(), *args, **kwargs)


class _Recorder:
    """Stands in for a model of which `fit` is all that is used."""

    def fit(self, *args, **kwargs):
        return args, kwargs


def _only_calls_fit(function):
    try:
        source = textwrap.dedent(inspect.getsource(function))
        definition = ast.parse(source).body[0]
        model = definition.args.args[2].arg
    except (OSError, TypeError, SyntaxError, AttributeError, IndexError):
        return False
    if definition.decorator_list:
        return False
    returned = [
        node.value
        for node in ast.walk(definition)
        if isinstance(node, ast.Return)
    ]
    calls = [_model_in_call(each, model) for each in returned]
    uses = [
        node
        for node in ast.walk(definition)
        if isinstance(node, ast.Name) and node.id == model
    ]
    return (
        bool(calls)
        and None not in calls
        and isinstance(definition.body[-1], ast.Return)
        and len(uses) == len(calls)
    )


def _model_in_call(node, model):
    """Returns the name in `model.fit(…)` or `super().fit(hp, model, …)`."""
    if not isinstance(node, ast.Call):
        return None
    function = node.func
    if not isinstance(function, ast.Attribute) or function.attr != "fit":
        return None
    owner = function.value
    if isinstance(owner, ast.Call) and ast.unparse(owner) == "super()":
        owner = node.args[1] if len(node.args) > 1 else None
    is_model = isinstance(owner, ast.Name) and owner.id == model
    return owner if is_model else None
