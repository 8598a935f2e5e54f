import keras
import numpy as np
import pytest
from keras import ops
from support.gradients import compile_on_jax
from support.gradients import double_precision
from support.reference import named_weights

from kmul import layers
from kmul._scans import linear_recurrence

from .formulas import minimal_gru
from .formulas import multiplicative_lstm
from .formulas import run

KINDS = {
    "MinimalGRU": (layers.MinimalGRU, minimal_gru, 1),
    "MultiplicativeLSTM": (layers.MultiplicativeLSTM, multiplicative_lstm, 2),
}
# JAX compiles each length.
LENGTHS = (6, 7) if keras.config.backend() == "jax" else range(1, 10)


def sequences(length=5, width=3, seed=0):
    x = np.random.default_rng(seed).normal(size=(2, length, width))
    return x.astype("float32")


@pytest.fixture(params=list(KINDS))
def kind(request):
    return KINDS[request.param]


def to_numpy(outputs):
    if isinstance(outputs, (tuple, list)):
        return [ops.convert_to_numpy(each) for each in outputs]
    return ops.convert_to_numpy(outputs)


def assert_same(found, expected):
    for a, b in zip(to_numpy(found), to_numpy(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("length", LENGTHS)
def test_all_steps_together_are_one_after_the_other(length):
    factors, terms = sequences(length), sequences(length, seed=1)
    state = initial = sequences(seed=2)[:, 0]
    expected = []
    for t in range(length):
        state = factors[:, t] * state + terms[:, t]
        expected.append(state)
    found = compile_on_jax(linear_recurrence)(factors, terms, initial)
    assert_same([found], [np.stack(expected, 1)])


def test_all_steps_together_in_double_precision():
    """`keras.ops.associative_scan` would round to single on torch."""
    with double_precision():
        one = ops.convert_to_tensor(np.ones((1, 3, 1)))
        small = ops.convert_to_tensor(np.full((1, 3, 1), 1e-12))
        found = to_numpy(linear_recurrence(one, small, one[:, 0]))
    np.testing.assert_array_equal(found[0, :, 0] > 1, True)


def run_everything(kind, **options):
    """Returns a run with states and a mask, the same in NumPy, and the mask."""
    make, step, num_states = kind
    layer = make(4, return_sequences=True, return_state=True, **options)
    x = sequences()
    rng = np.random.default_rng(3)
    layer.build(x.shape)
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(scale=0.5, size=variable.shape))
    mask = np.array([[1, 1, 0, 1, 0], [1, 0, 0, 1, 1]], bool)
    states = [rng.normal(size=(2, 4)) for _ in range(num_states)]
    inputs = keras.Input(x.shape[1:])
    masks = keras.Input((5,), dtype="bool")
    initial = [keras.Input((4,)) for _ in states]
    outputs = layer(inputs, mask=masks, initial_state=initial)
    model = keras.Model([inputs, masks, *initial], outputs)
    found = model.predict_on_batch([x, mask, *states])
    if options.get("go_backwards"):
        x, mask = x[:, ::-1], mask[:, ::-1]
    weights = named_weights(layer)
    return found, run(step, weights, x, mask, states), mask


def test_states_and_masks(kind):
    found, (outputs, states), _ = run_everything(kind)
    assert_same(found, [outputs, *states])


@pytest.mark.backends("tensorflow", "torch")
def test_backwards_and_zeros_for_masked_steps(kind):
    found, (outputs, states), mask = run_everything(
        kind, go_backwards=True, zero_output_for_mask=True
    )
    outputs = np.where(mask[:, :, None], outputs, 0)
    assert_same(found, [outputs, *states])


@pytest.mark.backends("torch")
@pytest.mark.parametrize("width", [1, 4])
def test_last_output_and_unrolled(kind, width):
    make = kind[0]
    x = sequences(width=width)
    whole = make(4, return_sequences=True)
    expected = to_numpy(whole(x))
    for options in ({}, {"unroll": True}, {"return_state": True}):
        layer = make(4, **options)
        layer.build(x.shape)
        layer.set_weights(whole.get_weights())
        outputs = to_numpy(layer(x))
        if "return_state" in options:
            outputs, *states = outputs
            assert_same([outputs], states[:1])
        assert_same([outputs], [expected[:, -1]])


def test_unknown_lengths(kind):
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, kind[0](4, return_sequences=True)(inputs))
    assert model.output_shape == (None, None, 4)
    x = sequences(6)
    long = model.predict(x, verbose=0)
    # A longer one begins as a shorter one does.
    short = model.predict(x[:, :3], verbose=0)
    assert_same([short], [long[:, :3]])


def test_stateful(kind):
    make = kind[0]
    x = sequences(6)
    layer = make(4, stateful=True, return_sequences=True)
    first, second = to_numpy([layer(x[:, :3]), layer(x[:, 3:])])
    whole = make(4, return_sequences=True)
    whole.build(x.shape)
    whole.set_weights([to_numpy(v.value) for v in layer.trainable_variables])
    assert_same([np.concatenate([first, second], 1)], [whole(x)])
    layer.reset_state()
    assert_same([layer(x[:, :3])], [first])


@pytest.mark.backends("torch")
def test_both_directions(kind):
    x = sequences()
    layer = keras.layers.Bidirectional(kind[0](4, return_sequences=True))
    outputs = to_numpy(layer(x))
    assert outputs.shape == (2, 5, 8)
    forwards = to_numpy(layer.forward_layer(x))
    backwards = to_numpy(layer.backward_layer(x))[:, ::-1]
    assert_same([outputs], [np.concatenate([forwards, backwards], -1)])
    assert (forwards != backwards).any()


@pytest.mark.backends("torch")
def test_masked_steps_may_hold_anything(kind):
    x = sequences()
    mask = np.array([[1, 1, 0, 1, 1], [1, 1, 1, 0, 0]], bool)
    layer = kind[0](4)
    expected = to_numpy(layer(x, mask=mask))
    x[~mask] = np.nan
    assert_same([layer(x, mask=mask)], [expected])


@pytest.mark.backends("torch")
def test_the_minimal_gru_drops_the_same_at_all_steps():
    layer = layers.MinimalGRU(
        4,
        use_bias=False,
        recurrent_activation="linear",
        kernel_initializer="ones",
        dropout=0.5,
        seed=1,
        return_sequences=True,
    )
    x = np.ones((3, 2, 1), "float32")
    found = to_numpy(layer(x, training=True))
    # The update is 2, or 0 where x is dropped: h = 0 · h + 1, h = −1 · h + 4.
    rows = {tuple(each) for each in found[:, :, 0]}
    assert rows == {(0, 0), (4, 0)}
    assert_same([layer(x)], [np.ones((3, 2, 4))])


@pytest.mark.backends("torch")
def test_bad_inputs_and_options(kind):
    make = kind[0]
    name = make.__name__
    message = rf"`{name}` should be called on sequences.*\(2, 3\)"
    with pytest.raises(ValueError, match=message):
        make(4)(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="last axis of the inputs of"):
        make(4)(keras.Input((5, None)))
    with pytest.raises(ValueError, match="`unroll`. Expected True or False"):
        make(4, unroll="yes")
    with pytest.raises(ValueError, match="initial_state.*Expected.*Received"):
        make(4)(sequences(), initial_state=[np.zeros((2, 4))] * 3)
