import keras
import numpy as np
import pytest
from keras import ops
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers


# A batch of as many samples as features is where axes could be mistaken.
@pytest.mark.parametrize("shape", [(6, 4), (4, 4), (6, 2, 4), (6, 2, 3, 4)])
def test_adds_its_input_after_the_activation(shape):
    layer = layers.ResidualDense(4, activation="relu")
    weights, x = prepare(layer, shape)
    dense = np.maximum(x @ weights["kernel"] + weights["bias"], 0)
    assert_computes(layer, x, dense + x)


def test_adds_nothing_where_the_widths_differ():
    layer = layers.ResidualDense(3, activation="relu")
    weights, x = prepare(layer, (3, 4))
    dense = np.maximum(x @ weights["kernel"] + weights["bias"], 0)
    assert_computes(layer, x, dense)


@pytest.mark.parametrize("units", [3, 4])
def test_weights_are_those_of_a_dense_layer(units):
    initializer = keras.initializers.GlorotUniform(seed=5)
    found, dense = (
        kind(units, kernel_initializer=initializer)
        for kind in (layers.ResidualDense, keras.layers.Dense)
    )
    for layer in (found, dense):
        layer.build((None, 4))
    for one, other in zip(
        found.get_weights(), dense.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_passes_the_mask_on():
    mask = ops.convert_to_tensor([[True, False]])
    assert layers.ResidualDense(4).compute_mask(None, mask) is mask


def test_bad_arguments_and_shapes():
    with pytest.raises(ValueError, match="units"):
        layers.ResidualDense(0)
    for shape, message in (
        ((4,), "rank 2 or more"),
        ((2, None), "last axis .* should be defined"),
        ([(2, 4)], "should be called on a single tensor"),
    ):
        with pytest.raises(ValueError, match=message):
            layers.ResidualDense(4).build(shape)


def dense_and_residual():
    """Two models that differ in the residual alone, and inputs for them."""
    models = []
    for layer in (keras.layers.Dense(4), layers.ResidualDense(4)):
        x = keras.Input((4,))
        models.append(keras.Model(x, layer(x)))
    models[1].set_weights(models[0].get_weights())
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    return *models, x


@pytest.mark.filterwarnings("ignore:Layer InputLayer does not have")
@pytest.mark.parametrize(
    "mode",
    [
        "int8",
        pytest.param("int4", marks=pytest.mark.backends("torch")),
        pytest.param("float8", marks=pytest.mark.backends("torch")),
    ],
)
def test_quantized_as_a_dense_layer(mode, tmp_path):
    dense, residual, x = dense_and_residual()
    before = residual.predict_on_batch(x)
    for model in (dense, residual):
        model.quantize(mode)
    after = residual.predict_on_batch(x)
    np.testing.assert_allclose(after, dense.predict_on_batch(x) + x, atol=1e-6)
    assert 0 < np.abs(after - before).max() < 0.5
    residual.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].dtype_policy.quantization_mode == mode
    np.testing.assert_allclose(loaded.predict_on_batch(x), after, atol=1e-6)


def test_quantization_refuses_subclasses():
    class Other(layers.ResidualDense):
        pass

    layer = Other(4)
    layer.build((None, 4))
    with pytest.raises(NotImplementedError, match="Other"):
        layer.quantize("int8")


def test_lora_as_in_a_dense_layer(tmp_path):
    dense, residual, x = dense_and_residual()
    for model in (dense, residual):
        keras.utils.set_random_seed(0)
        model.layers[1].enable_lora(2)
        model.compile(keras.optimizers.SGD(0.1), "mse")
    kernel = ops.convert_to_numpy(residual.layers[1].weights[0])
    dense.train_on_batch(x, x)
    residual.train_on_batch(x, x + x)
    after = residual.predict_on_batch(x)
    np.testing.assert_allclose(after, dense.predict_on_batch(x) + x, atol=1e-6)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(residual.layers[1].weights[0]), kernel
    )
    residual.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].lora_rank == 2
    np.testing.assert_allclose(loaded.predict_on_batch(x), after, atol=1e-6)
