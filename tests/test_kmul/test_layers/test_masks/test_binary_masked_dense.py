import keras
import numpy as np
import pytest
from keras import ops
from support.gradients import layer_gradients
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers


@pytest.mark.parametrize("shape", [(6, 4), (2, 3, 4)])
def test_dense_where_the_scores_are_high(shape):
    layer = layers.BinaryMaskedDense(5, activation="relu", threshold=0.2)
    weights, x = prepare(layer, shape)
    mask = weights["scores"] > 0.2
    y = x @ (weights["kernel"] * mask) + weights["bias"]
    assert_computes(layer, x, np.maximum(y, 0))
    assert 0 < layer.sparsity() < 1
    np.testing.assert_allclose(layer.sparsity(), 1 - mask.mean(), rtol=1e-6)


def test_scores_get_the_gradient_of_the_mask():
    layer = layers.BinaryMaskedDense(5, threshold=0.0)
    weights, x = prepare(layer, (6, 4))
    mask = weights["scores"] > 0
    y = x @ (weights["kernel"] * mask) + weights["bias"]
    by_masked_kernel = x.T @ (2 * y)  # of the sum of squares
    _, (kernel, _, scores) = layer_gradients(layer, x.astype("float32"))
    for found, expected in (
        (scores, by_masked_kernel * weights["kernel"]),
        (kernel, by_masked_kernel * mask),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.backends("torch")
def test_learns_which_weights_to_keep():
    x = np.random.default_rng(0).normal(size=(512, 16)).astype("float32")
    y = x[:, :1] + x[:, 1:2]
    layer = layers.BinaryMaskedDense(
        1, train_kernel=False, use_bias=False, kernel_initializer="ones"
    )
    model = keras.Sequential([keras.Input((16,)), layer])
    assert layer.sparsity() == 0
    model.compile("adam", "mse")
    model.fit(x, y, batch_size=64, epochs=10, verbose=0)
    kept = ops.convert_to_numpy(layer.scores)[:, 0] > layer.threshold
    np.testing.assert_array_equal(np.flatnonzero(kept), [0, 1])
    assert layer.sparsity() == 14 / 16
    np.testing.assert_allclose(model.predict_on_batch(x), y, rtol=1e-5)


@pytest.mark.backends("torch")
def test_options_and_errors():
    layer = layers.BinaryMaskedDense(2, train_kernel=False)
    with pytest.raises(ValueError, match="no weights until"):
        layer.sparsity()
    layer.build((None, 3))
    names = [v.name for v in layer.trainable_variables]
    assert names == ["bias", "scores"]
    with pytest.raises(ValueError, match="units=0"):
        layers.BinaryMaskedDense(0)
    with pytest.raises(ValueError, match="threshold='high'"):
        layers.BinaryMaskedDense(2, threshold="high")
