"""Arguments of `fit`, brought into the form of training together."""

import copy
import dataclasses
import inspect
import math

import keras
import numpy as np
from keras import ops

from tuning.population.feeds import Stream
from tuning.population.feeds import feed
from tuning.tuner.streams import NoStream
from tuning.tuner.streams import stream

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
    """The arguments of `fit_as_keras`, from those of `keras.Model.fit`.

    Attributes:
        train, validation: Tuples `(x, y, sample_weight)` of NumPy arrays, or
            `Stream`s.
        callbacks: The callbacks, of which each member gets copies.
        options: Dictionary of the other arguments.
    """

    train: tuple | Stream
    validation: tuple | Stream | None
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
        for name in ("max_epochs", "max_steps_per_epoch"):
            if getattr(keras.config, name)() is not None:
                raise OneByOne(f"`keras.config.{name}()` is set")
        try:
            train, validation = _read(given)
        except NoStream as error:
            raise OneByOne(str(error)) from error
        batch_size = 32 if given["batch_size"] is None else given["batch_size"]
        options = {
            "batch_size": batch_size,
            "validation_batch_size": given["validation_batch_size"],
            "epochs": given["epochs"],
            "initial_epoch": given["initial_epoch"],
            "validation_freq": given["validation_freq"],
            "steps_per_epoch": given["steps_per_epoch"],
            "validation_steps": given["validation_steps"],
            "shuffle": given["shuffle"],
        }
        for name in ("batch_size", "epochs"):
            if not isinstance(options[name], int) or options[name] < 1:
                raise OneByOne(f"`{name}` is {options[name]!r}")
        passes = options["epochs"] - options["initial_epoch"]
        _check_steps(train, batch_size, options["steps_per_epoch"], passes)
        _check_steps(
            validation,
            options["validation_batch_size"] or batch_size,
            options["validation_steps"],
            passes=1,
        )
        if not isinstance(options["shuffle"], bool):
            raise OneByOne(f"`shuffle` is {options['shuffle']!r}")
        callbacks = given["callbacks"] or []
        if isinstance(callbacks, keras.callbacks.CallbackList):
            raise OneByOne("`callbacks` is a `CallbackList`")
        if not isinstance(callbacks, (list, tuple)):
            callbacks = [callbacks]
        for each in callbacks:
            _check_callback(each)
        return cls(train, validation, list(callbacks), options)

    def agrees_with(self, other):
        """Whether both ask for the same, but for the callbacks."""
        return self.options == other.options and _same(
            [self.train, self.validation], [other.train, other.validation]
        )

    @property
    def has_stream(self):
        """Whether any data may not be read by two threads at a time."""
        return isinstance(self.train, Stream) or isinstance(
            self.validation, Stream
        )

    @property
    def steps(self):
        """The steps of a training that is not stopped early."""
        options = self.options
        batches = feed(
            self.train, options["batch_size"], options["steps_per_epoch"], None
        )
        return len(batches) * (options["epochs"] - options["initial_epoch"])

    def example(self):
        """Returns a batch `(x, y, sample_weight)`."""
        return feed(
            self.train, self.options["batch_size"], None, None
        ).example()

    def own_callbacks(self):
        """Returns a copy of the callbacks, as each member gets."""
        try:
            return copy.deepcopy(self.callbacks)
        except Exception as error:
            raise OneByOne(
                f"its callbacks cannot be copied: {error}"
            ) from error


def _read(given):
    """Returns the data for training and validation.

    Args:
        given: Dictionary of the arguments of `fit`.
    """
    train = stream(given["x"], given["shuffle"])
    validation = given["validation_data"]
    if train is not None:
        kind = type(given["x"]).__name__
        for name in ("y", "sample_weight", "class_weight"):
            if given[name] is not None:
                raise OneByOne(f"`{name}` is given with a {kind}")
        if given["validation_split"]:
            raise OneByOne(f"`validation_split` is given with a {kind}")
    else:
        train = [
            _arrays(name, given[name]) for name in ("x", "y", "sample_weight")
        ]
        if train[0] is None or train[1] is None:
            raise OneByOne("`x` and `y` are not arrays both")
        if validation is None and given["validation_split"]:
            train, validation = _split(train, given["validation_split"])
            validation[2] = _per_output(validation)
            validation = tuple(validation)
        if given["class_weight"] is not None:
            train[2] = _class_weights(train[1:], given["class_weight"])
        train[2] = _per_output(train)
        train = tuple(train)
    if given["validation_data"] is not None:
        validation = stream(
            given["validation_data"], shuffle=False, is_validation=True
        )
        if validation is None:
            validation = list(
                keras.utils.unpack_x_y_sample_weight(given["validation_data"])
            )
            validation = [_arrays("validation_data", v) for v in validation]
            if validation[1] is None:
                raise OneByOne("`validation_data` has no arrays of labels")
            validation[2] = _per_output(validation)
            validation = tuple(validation)
    return train, validation


def _check_steps(data, batch_size, steps, passes):
    """Leaves data that run out to Keras, which warns and carries on."""
    if data is None or steps is None:
        if isinstance(data, Stream) and data.num_batches is None:
            raise OneByOne("nothing says how many batches its data have")
        return
    if not isinstance(steps, int) or steps < 1:
        raise OneByOne(f"the steps of an epoch are {steps!r}")
    if isinstance(data, Stream):
        count = data.num_batches or math.inf
    else:
        count = math.ceil(len(keras.tree.flatten(data[0])[0]) / batch_size)
    if steps * passes > count and (count < steps or count % steps):
        raise OneByOne(f"its {count} batches do not make epochs of {steps}")


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


def _same(data, other):
    """Whether nested arrays are the same; looks at values if it must."""
    try:
        keras.tree.assert_same_structure(data, other)
    except ValueError:
        return False
    pairs = zip(
        keras.tree.flatten(data), keras.tree.flatten(other), strict=True
    )
    return all(
        one is two
        or (
            isinstance(one, Stream)
            and isinstance(two, Stream)
            and one.source is two.source
        )
        or (
            isinstance(one, np.ndarray)
            and isinstance(two, np.ndarray)
            and one.dtype == two.dtype
            and np.array_equal(one, two)
        )
        for one, two in pairs
    )


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
    if _looks_at_epochs_alone(callback):
        return
    for hook in BATCH_HOOKS:
        method = getattr(type(callback), hook)
        if hook in vars(callback) or method is not getattr(
            keras.callbacks.Callback, hook
        ):
            raise OneByOne(f"`{name}` looks at batches")


def _looks_at_epochs_alone(callback):
    """Whether a callback of Keras's that may look at batches does not."""
    kind = type(callback)
    if kind is keras.callbacks.ModelCheckpoint:
        return callback.save_freq == "epoch"
    if kind is keras.callbacks.TensorBoard:
        # The model's graph is written at the start; that of a training
        # function, Keras 3 has none of. Whether something is profiled, nothing
        # public tells.
        return not (
            callback.update_freq != "epoch"
            or callback.write_steps_per_second
            or callback._should_trace
        )
    # `fit_as_keras` calls it for epochs.
    return kind is keras.callbacks.TerminateOnNaN and not getattr(
        callback, "raise_error", False
    )
