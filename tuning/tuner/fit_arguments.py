"""Arguments of `fit`, brought into the form of training together."""

import copy
import dataclasses
import inspect
import math

import keras
import numpy as np
from keras import ops

# Methods of callbacks that are called for batches.
BATCH_HOOKS = [
    f"on_{kind}batch_{when}"
    for kind in ("", "train_", "test_", "predict_")
    for when in ("begin", "end")
]


class OneByOne(Exception):
    """Says why trials are not trained together."""


@dataclasses.dataclass
class FitArguments:
    """What `fit_as_keras` takes, from the arguments of `keras.Model.fit`.

    Attributes:
        train, validation: Tuples `(x, y, sample_weight)` of NumPy arrays.
        callbacks: The callbacks, of which each member gets copies.
        options: Dictionary of the other arguments.
    """

    train: tuple
    validation: tuple | None
    callbacks: list
    options: dict

    @classmethod
    def of(cls, args, kwargs):
        """Reads arguments of `fit`.

        Raises:
            OneByOne: They ask for training one by one.
        """
        try:
            given = inspect.signature(keras.Model.fit).bind(
                None, *args, **kwargs
            )
        except TypeError as error:
            raise OneByOne(
                f"`fit` does not take the arguments: {error}"
            ) from error
        given.apply_defaults()
        given = given.arguments
        for name in ("steps_per_epoch", "validation_steps"):
            if given[name] is not None:
                raise OneByOne(f"`{name}` is given")
        for name in ("max_epochs", "max_steps_per_epoch"):
            if getattr(keras.config, name)() is not None:
                raise OneByOne(f"`keras.config.{name}()` is set")
        train = [
            _arrays(name, given[name]) for name in ("x", "y", "sample_weight")
        ]
        if train[0] is None or train[1] is None:
            raise OneByOne("`x` and `y` are not arrays both")
        validation = None
        if given["validation_data"] is not None:
            validation = list(
                keras.utils.unpack_x_y_sample_weight(given["validation_data"])
            )
            validation = [_arrays("validation_data", v) for v in validation]
            if validation[1] is None:
                raise OneByOne("`validation_data` has no arrays of labels")
        elif given["validation_split"]:
            train, validation = _split(train, given["validation_split"])
        batch_size = 32 if given["batch_size"] is None else given["batch_size"]
        options = {
            "batch_size": batch_size,
            "validation_batch_size": given["validation_batch_size"],
            "epochs": given["epochs"],
            "initial_epoch": given["initial_epoch"],
            "validation_freq": given["validation_freq"],
            "shuffle": given["shuffle"],
        }
        for name in ("batch_size", "epochs"):
            if not isinstance(options[name], int) or options[name] < 1:
                raise OneByOne(f"`{name}` is {options[name]!r}")
        if not isinstance(options["shuffle"], bool):
            raise OneByOne(f"`shuffle` is {options['shuffle']!r}")
        if given["class_weight"] is not None:
            train[2] = _class_weights(train[1:], given["class_weight"])
        train[2] = _per_output(train)
        if validation is not None:
            validation[2] = _per_output(validation)
        callbacks = given["callbacks"] or []
        if isinstance(callbacks, keras.callbacks.CallbackList):
            raise OneByOne("`callbacks` is a `CallbackList`")
        if not isinstance(callbacks, (list, tuple)):
            callbacks = [callbacks]
        for each in callbacks:
            _check_callback(each)
        return cls(
            tuple(train),
            None if validation is None else tuple(validation),
            list(callbacks),
            options,
        )

    def own_callbacks(self):
        """Returns a copy of the callbacks, as each member gets."""
        try:
            return copy.deepcopy(self.callbacks)
        except Exception as error:
            raise OneByOne(
                f"its callbacks cannot be copied: {error}"
            ) from error


def _arrays(name, data):
    """Returns data as NumPy arrays, as Keras turns them into batches."""

    def array(each):
        if each is None:
            return None
        module = type(each).__module__.partition(".")[0]
        if module == "pandas":
            values = each.to_numpy()
            # Keras makes a column of a series.
            values = values if values.ndim > 1 else values[:, None]
        elif isinstance(each, np.ndarray):
            values = each
        elif ops.is_tensor(each) or module in ("torch", "tensorflow", "jaxlib"):
            if not hasattr(each, "__array__"):
                raise OneByOne(f"`{name}` is of type {type(each).__name__}")
            if getattr(each, "requires_grad", False):
                each = each.detach()
            values = np.asarray(each.cpu() if module == "torch" else each)
        else:
            raise OneByOne(f"`{name}` is of type {type(each).__name__}")
        if values.dtype.kind not in "fiub" or values.ndim == 0:
            raise OneByOne(f"`{name}` has values of type {values.dtype}")
        is_float = values.dtype.kind == "f"
        if not is_float:
            return values
        return values.astype(keras.config.floatx(), copy=False)

    if data is None:
        return None
    arrays = keras.tree.map_structure(array, data)
    flat = keras.tree.flatten(arrays)
    if not flat or any(each is None for each in flat):
        raise OneByOne(f"`{name}` has parts that are not arrays")
    return arrays


def _split(train, fraction):
    """Takes the last part for validation, as Keras does."""
    count = len(keras.tree.flatten(train[0])[0])
    at = math.floor(count * (1.0 - fraction))
    if not 0 < at < count:
        raise OneByOne(f"`validation_split` is {fraction!r}")

    def part(index):
        return [
            None
            if each is None
            else keras.tree.map_structure(lambda array: array[index], each)
            for each in train
        ]

    return part(slice(0, at)), part(slice(at, count))


def _class_weights(labels, class_weight):
    """Returns a weight per record by its class, as Keras does."""
    y, sample_weight = labels
    if sample_weight is not None or keras.tree.is_nested(y):
        raise OneByOne("`class_weight` is given with more than it goes with")
    if y.ndim > 1:
        y = np.argmax(y, axis=-1) if y.shape[-1] != 1 else y[..., 0]
    if y.ndim != 1:
        raise OneByOne("`class_weight` is given for labels of several axes")
    return np.array(
        [class_weight.get(each, 1.0) for each in np.round(y).astype(int)],
        keras.config.floatx(),
    )


def _per_output(data):
    """Returns weights in the structure of the labels; checks the lengths."""
    x, y, weights = data
    lengths = {len(each) for each in keras.tree.flatten((x, y))}
    if weights is not None:
        lengths |= {len(each) for each in keras.tree.flatten(weights)}
        if keras.tree.is_nested(y):
            if not keras.tree.is_nested(weights):
                weights = keras.tree.map_structure(lambda _: weights, y)
            try:
                keras.tree.assert_same_structure(y, weights)
            except ValueError as error:
                raise OneByOne(
                    f"`sample_weight` does not fit: {error}"
                ) from error
    if len(lengths) != 1 or 0 in lengths:
        raise OneByOne(f"its data have different lengths: {sorted(lengths)}")
    return weights


def _check_callback(callback):
    name = type(callback).__name__
    if not isinstance(callback, keras.callbacks.Callback):
        raise OneByOne(f"`{name}` is no callback of Keras")
    if type(callback) is keras.callbacks.ModelCheckpoint:
        if callback.save_freq == "epoch":
            return
    for hook in BATCH_HOOKS:
        method = getattr(type(callback), hook)
        if hook in vars(callback) or method is not getattr(
            keras.callbacks.Callback, hook
        ):
            raise OneByOne(f"`{name}` looks at batches")
