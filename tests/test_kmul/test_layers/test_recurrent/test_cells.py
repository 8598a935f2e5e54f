import keras
import numpy as np
import pytest
from keras import ops
from support import layer_checks
from support.reference import named_weights

from kmul import layers

from ..examples import CELLS
from .formulas import STEPS
from .formulas import run

MASK = np.array([[1, 1, 1, 1], [0, 1, 0, 0]], bool)


def sequences(shape=(2, 4, 3), seed=0):
    x = np.random.default_rng(seed).normal(size=shape)
    return x.astype("float32")


def randomize(layer):
    rng = np.random.default_rng(1)
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(scale=0.5, size=variable.shape))


def model_of(layer, width=3):
    """A model that masks the steps that are 0, and returns all there is."""
    inputs = keras.Input((None, width))
    return keras.Model(inputs, layer(keras.layers.Masking()(inputs)))


@pytest.mark.parametrize("name", CELLS)
def test_computes_its_equations(name):
    cell = CELLS[name](5)
    layer = keras.layers.RNN(cell, return_sequences=True, return_state=True)
    model = model_of(layer)
    randomize(cell)
    x = sequences() * MASK[:, :, None]
    states = [np.zeros((2, 5))] * len(cell.state_size)
    expected, states = run(STEPS[name], named_weights(cell), x, MASK, states)
    found = model.predict_on_batch(x)
    assert len(found) == 1 + len(states)
    for each, right in zip(found, [expected, *states], strict=True):
        np.testing.assert_allclose(each, right, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CELLS)
def test_config(name):
    layer_checks.check_config(lambda: CELLS[name](3, dropout=0.1, seed=1))


# JAX would compile each, to do what all backends do.
@pytest.mark.backends("tensorflow", "torch")
@pytest.mark.parametrize("name", CELLS)
def test_numerical_gradients(name):
    def make(**kwargs):
        return keras.layers.RNN(CELLS[name](2, **kwargs), **kwargs)

    layer_checks.check_numerical_gradients(make, (2, 3, 3))


@pytest.mark.backends("torch")
@pytest.mark.parametrize("name", CELLS)
def test_precision_booleans_and_widths(name):
    cell = CELLS[name](3, dtype="mixed_bfloat16", name="mine")
    layer = keras.layers.RNN(cell, dtype="mixed_bfloat16")
    outputs = layer(sequences())
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert {v.dtype for v in cell.trainable_variables} == {"float32"}
    with pytest.raises(ValueError, match="mine.*expected axis -1.*value 3"):
        cell(np.zeros((2, 4)), cell.get_initial_state(2))
    with pytest.raises(ValueError, match="one step of sequences"):
        CELLS[name](3).build((2, 4, 3))
    for option in ("use_bias", "unit_forget_bias"):
        if option in cell.get_config():
            with pytest.raises(ValueError, match=f"`{option}`. Expected True"):
                CELLS[name](3, **{option: "false"})


@pytest.mark.backends("torch")
@pytest.mark.parametrize("cell", ["simple", "gru", "lstm"])
def test_without_products_it_is_the_cell_of_keras(cell):
    like = {
        "simple": keras.layers.SimpleRNN(5),
        "gru": keras.layers.GRU(5, reset_after=False),
        "lstm": keras.layers.LSTM(5),
    }[cell]
    layer = keras.layers.RNN(
        layers.MultiplicativeIntegrationCell(
            5, cell=cell, alpha_initializer="zeros"
        )
    )
    x = sequences()
    like(x), layer(x)
    first, last = layer.cell.bias, like.cell.bias
    np.testing.assert_array_equal(*map(ops.convert_to_numpy, (first, last)))
    randomize(like)
    kernel, recurrent, bias = like.get_weights()
    betas = layer.get_weights()[2:5]
    layer.set_weights([kernel, recurrent, *betas, bias])
    np.testing.assert_allclose(
        *(ops.convert_to_numpy(each(x)) for each in (layer, like)), rtol=1e-5
    )


@pytest.mark.backends("torch")
def test_starts_as_documented():
    cell = layers.RecurrentHighwayCell(2, transform_bias=-3)
    cell.build((None, 4))
    for layer in (1, 2, 3):
        bias = named_weights(cell)[f"bias_{layer}"]
        np.testing.assert_array_equal(bias, [0, 0, -3, -3])
    cell = layers.MultiplicativeLSTMCell(2)
    cell.build((None, 4))
    bias = named_weights(cell)["bias"]
    np.testing.assert_array_equal(bias, [0, 0, 1, 1, 0, 0, 0, 0])
    cell = layers.RecurrentHighwayCell(2, use_bias=False)
    cell.build((None, 4))
    assert "bias_1" not in named_weights(cell)


def identity_cell(**kwargs):
    """h_t = x_t + h_{t−1}, where nothing is dropped."""
    return layers.MultiplicativeIntegrationCell(
        8,
        cell="simple",
        activation=None,
        use_bias=False,
        kernel_initializer="identity",
        recurrent_initializer="identity",
        alpha_initializer="zeros",
        seed=3,
        **kwargs,
    )


def run_in_training(cell):
    # Keras itself, as it is: a mask for all steps, drawn anew for each batch.
    layer = keras.layers.RNN(cell, return_sequences=True)
    x = np.ones((4, 3, 8), "float32")
    return [
        ops.convert_to_numpy(layer(x, training=training))
        for training in (True, True, False)
    ]


@pytest.mark.backends("torch")
def test_drops_the_same_at_all_steps():
    first, second, whole = run_in_training(identity_cell(dropout=0.5))
    kept = first[:, 0] > 0
    assert 0 < kept.mean() < 1 and not (kept == kept[:1]).all()
    steps = np.array([1, 2, 3])[None, :, None]
    np.testing.assert_array_equal(first, 2 * kept[:, None] * steps)
    assert (first != second).any()
    np.testing.assert_array_equal(whole, np.broadcast_to(steps, whole.shape))

    first, second, _ = run_in_training(identity_cell(recurrent_dropout=0.5))
    kept = first[:, 1] > 1
    assert 0 < kept.mean() < 1 and (first != second).any()
    # 1, 1 + 2 · 1, 1 + 2 · 3 where the state is kept.
    expected = np.where(kept[:, None], [[[1], [3], [7]]], 1)
    np.testing.assert_array_equal(first, expected)


@pytest.mark.backends("torch")
@pytest.mark.parametrize("name", CELLS)
def test_drops_in_training_alone(name):
    rates = {"dropout": 0.5}
    if name != "MinimalGRUCell":
        rates["recurrent_dropout"] = 0.5
    for rate in rates:
        layer = keras.layers.RNN(CELLS[name](8, **{rate: 0.5}))
        x = sequences()
        outputs = [
            ops.convert_to_numpy(layer(x, training=training))
            for training in (False, False, True)
        ]
        np.testing.assert_array_equal(outputs[0], outputs[1])
        assert (outputs[0] != outputs[2]).any(), rate


def everything():
    """Stacked, in both directions, with dropout, masks and unknown lengths."""
    cells = [
        layers.MultiplicativeIntegrationCell(3, cell="gru", dropout=0.2),
        layers.RecurrentHighwayCell(3, num_layers=2, recurrent_dropout=0.2),
    ]
    lstm = layers.MultiplicativeLSTM(
        3, dropout=0.2, recurrent_dropout=0.2, return_sequences=True
    )
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(5, 3, mask_zero=True),
            keras.layers.Bidirectional(lstm),
            keras.layers.RNN(cells, return_sequences=True),
            layers.MinimalGRU(3, dropout=0.2),
        ]
    )


def test_training_of_everything_together():
    model = everything()
    # XLA takes long; the layers' own tests train with it.
    jit = "auto" if keras.config.backend() == "jax" else False
    model.compile("adam", "mse", jit_compile=jit)
    before = model.get_weights()
    x = np.array([[1, 2, 3, 4], [4, 3, 0, 0]])
    loss = model.train_on_batch(x, np.ones((2, 3)))
    assert np.isfinite(loss)
    for old, variable in zip(before, model.weights, strict=True):
        if variable.trainable:
            assert (old != ops.convert_to_numpy(variable)).any(), variable.path


@pytest.mark.backends("torch")
def test_saving_of_everything_together(tmp_path):
    model = everything()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = np.array([[1, 2, 3, 4], [4, 3, 0, 0]])
    outputs = loaded.predict_on_batch(x)
    np.testing.assert_allclose(outputs, model.predict_on_batch(x), rtol=1e-5)
    # What is masked changes nothing.
    alone = loaded.predict_on_batch(x[1:, :2])
    np.testing.assert_allclose(outputs[1:], alone, rtol=1e-4, atol=1e-6)


@pytest.mark.backends("torch")
@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: layers.MultiplicativeLSTMCell(0), "units=0"),
        (lambda: layers.MinimalGRUCell(2.5), "units=2.5"),
        (lambda: layers.MinimalGRUCell(2, dropout=1), r"\[0, 1\).*dropout=1"),
        (
            lambda: layers.MultiplicativeLSTMCell(2, recurrent_dropout=-1),
            "`recurrent_dropout`. Expected a number in .0, 1.. Received:",
        ),
        (lambda: layers.RecurrentHighwayCell(2, num_layers=0), "num_layers=0"),
        (
            lambda: layers.RecurrentHighwayCell(2, transform_bias="low"),
            "transform_bias='low'",
        ),
        (
            lambda: layers.MultiplicativeIntegrationCell(2, cell="rnn"),
            "'simple', 'gru', 'lstm'.*cell='rnn'",
        ),
        (lambda: layers.RecurrentHighwayCell(2, seed="a"), "seed='a'"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
