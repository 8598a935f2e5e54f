import itertools

import keras
import numpy as np
import pandas as pd
import pytest

from tuning.tuner.fit_arguments import FitArguments
from tuning.tuner.fit_arguments import OneByOne
from tuning.tuner.streams import NoStream

X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10) % 2


def read(*args, **kwargs):
    return FitArguments.of(args, kwargs)


@pytest.mark.parametrize(
    "form",
    [np.asarray, pd.DataFrame, keras.ops.convert_to_tensor],
    ids=["numpy", "pandas", "tensor"],
)
def test_arrays(form):
    """Numbers with a fraction come in Keras's type, others as they are."""
    arguments = read([form(X), {"a": form(X)}], Y)
    (one, two), y, weights = arguments.train
    for each in (one, two["a"]):
        assert isinstance(each, np.ndarray) and each.dtype == "float32"
        np.testing.assert_array_equal(each, X)
    assert y is Y and weights is None


def test_a_series_is_a_column():
    assert read(X, pd.Series(Y)).train[1].shape == (10, 1)


def test_defaults():
    arguments = read(X, Y)
    assert arguments.options == {
        "batch_size": 32,
        "validation_batch_size": None,
        "epochs": 1,
        "initial_epoch": 0,
        "validation_freq": 1,
        "steps_per_epoch": None,
        "validation_steps": None,
        "shuffle": True,
    }
    assert arguments.validation is None and arguments.callbacks == []


def test_validation():
    arguments = read(X, Y, validation_data=(X[:4], Y[:4], Y[:4] / 2))
    assert [len(each) for each in arguments.validation] == [4, 4, 4]
    arguments = read(X, Y, sample_weight=Y / 2, validation_split=0.25)
    for part, whole in enumerate((X, Y, Y / 2)):
        np.testing.assert_array_equal(arguments.train[part], whole[:7])
        np.testing.assert_array_equal(arguments.validation[part], whole[7:])


@pytest.mark.parametrize("labels", [Y, Y[:, None], np.eye(2)[Y], Y + 0.1])
def test_class_weights(labels):
    weights = read(X, labels, class_weight={1: 3.0}).train[2]
    np.testing.assert_array_equal(weights, np.where(Y == 1, 3.0, 1.0))


def test_weights_of_several_outputs():
    weights = read(X, {"a": Y, "b": Y}, sample_weight=Y / 2).train[2]
    assert set(weights) == {"a", "b"}
    np.testing.assert_array_equal(weights["b"], Y / 2)


def test_callbacks_are_copied():
    callback = keras.callbacks.EarlyStopping()
    arguments = read(X, Y, callbacks=callback)
    first, second = arguments.own_callbacks(), arguments.own_callbacks()
    assert len({id(callback), id(first[0]), id(second[0])}) == 3


class Batches(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


class Rows(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return X[index * 5 :][:5], Y[index * 5 :][:5]


class Endless(Rows):
    num_batches = None


def test_a_stream():
    rows = Rows()
    arguments = read(rows, validation_data=(X, Y), shuffle=False)
    assert arguments.has_stream and arguments.train.num_batches == 2
    (x, y, weights), _ = arguments.train.read(None)
    np.testing.assert_array_equal(x, X[:5])
    np.testing.assert_array_equal(y, Y[:5])
    assert x.dtype == "float32" and weights is None
    again = read(rows, validation_data=(X.copy(), Y), shuffle=False)
    assert arguments.agrees_with(again)
    other = read(Rows(), validation_data=(X, Y), shuffle=False)
    assert not arguments.agrees_with(other)


def test_a_generator():
    """Read once; for validation Keras comes back to the first two batches."""

    def batches():
        for i in range(9):
            yield X + i, Y

    def numbers(stream, count):
        batches = itertools.islice(stream.read(None), count)
        return [int(x[0, 0]) for x, _, _ in batches]

    arguments = read(
        batches(),
        validation_data=batches(),
        steps_per_epoch=2,
        validation_steps=3,
    )
    arguments.example()
    train, validation = arguments.train, arguments.validation
    assert [numbers(train, 2) for _ in range(2)] == [[0, 1], [2, 3]]
    assert [numbers(validation, 3) for _ in range(2)] == [[0, 1, 2], [0, 1, 3]]
    with pytest.raises(OneByOne, match="nothing says how many batches"):
        read(batches())
    ended = read((each for each in ()), steps_per_epoch=1)
    with pytest.raises(NoStream, match="at its end"):
        ended.example()


def test_agreement():
    """Of data and options, not of callbacks."""
    arguments = read(X, Y, batch_size=4, callbacks=[Batches.__base__()])
    assert arguments.agrees_with(read(X.copy(), Y, batch_size=4))
    assert not arguments.agrees_with(read(X, Y, batch_size=5))
    assert not arguments.agrees_with(read(X + 1, Y, batch_size=4))
    assert not arguments.agrees_with(read([X], Y, batch_size=4))


@pytest.mark.parametrize(
    "arguments, reason",
    [
        ({"x": iter([X])}, "`x` is of type list_iterator"),
        ({"x": X.tolist()}, "`x` is of type float"),
        ({"x": np.array(["a"] * 10)}, "`x` has values of type <U1"),
        ({"y": None}, "`x` and `y` are not arrays both"),
        ({"y": Y[:9]}, "different lengths: [9, 10]"),
        (
            {"steps_per_epoch": 2, "batch_size": 4, "epochs": 2},
            "its 3 batches do not make epochs of 2",
        ),
        (
            {"validation_data": (X, Y), "validation_steps": 0},
            "the steps of an epoch are 0",
        ),
        ({"x": Endless(), "y": None}, "its `PyDataset` has no end"),
        ({"x": Rows(workers=2), "y": None}, "its `PyDataset` has workers"),
        ({"x": Rows()}, "`y` is given with a Rows"),
        ({"validation_data": X}, "`validation_data` has no arrays of labels"),
        ({"validation_split": 0.99}, "`validation_split` is 0.99"),
        ({"shuffle": "batch"}, "`shuffle` is 'batch'"),
        ({"epochs": 0}, "`epochs` is 0"),
        ({"batch_size": 2.5}, "`batch_size` is 2.5"),
        ({"bacth_size": 2}, "`fit` does not take the arguments"),
        ({"callbacks": [Batches()]}, "`Batches` looks at batches"),
        (
            {"callbacks": [keras.callbacks.TensorBoard(update_freq=2)]},
            "`TensorBoard` looks at batches",
        ),
        (
            {"callbacks": [keras.callbacks.LambdaCallback(on_batch_end=print)]},
            "`LambdaCallback` looks at batches",
        ),
        (
            {"class_weight": {0: 2.0}, "sample_weight": Y},
            "`class_weight` is given with more than it goes with",
        ),
    ],
)
def test_what_is_trained_one_by_one(arguments, reason):
    with pytest.raises(OneByOne) as error:
        read(**{"x": X, "y": Y, **arguments})
    assert reason in str(error.value)
