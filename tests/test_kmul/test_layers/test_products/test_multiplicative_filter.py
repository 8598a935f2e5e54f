import keras
import numpy as np
import pytest
from keras import ops
from support.reference import assert_computes
from support.reference import named_weights
from support.reference import prepare

from kmul import layers


@pytest.mark.parametrize("form", ["fourier", "gabor"])
@pytest.mark.parametrize("shape", [(6, 2), (2, 3, 2)])
def test_sines_times_linear_layers(form, shape):
    layer = layers.MultiplicativeFilter(3, 5, num_filters=3, form=form)
    w, x = prepare(layer, shape)
    filters = np.sin(x @ w["frequencies"] + w["phases"])
    if form == "gabor":
        offsets = x[..., None] - w["centers"]
        squares = np.sum(offsets**2, axis=-2)
        filters = filters * np.exp(-w["scales"] / 2 * squares)
    first, second, third = np.split(filters, 3, -1)
    z = second * (first @ w["kernel_2"] + w["bias_2"])
    z = third * (z @ w["kernel_3"] + w["bias_3"])
    expected = z @ w["output_kernel"] + w["output_bias"]
    assert_computes(layer, x, expected)


@pytest.mark.backends("torch")
def test_start_of_the_filters():
    layer = layers.MultiplicativeFilter(1, 4_000, 4, input_scale=10.0, seed=1)
    layer.build((None, 2))
    w = named_weights(layer)
    limit = 10 / np.sqrt(4 * 2)
    assert 0.99 * limit < np.abs(w["frequencies"]).max() <= limit
    assert 0.99 * np.pi < np.abs(w["phases"]).max() <= np.pi
    assert np.abs(w["kernel_2"]).max() <= 1 / np.sqrt(4_000)

    layer = layers.MultiplicativeFilter(
        1, 4_000, 2, "gabor", input_scale=10.0, alpha=4.0, beta=0.5, seed=1
    )
    layer.build((None, 2))
    w = named_weights(layer)
    # A gamma distribution of shape 2 and rate ½.
    assert 3.8 < w["scales"].mean() < 4.2
    assert 7.5 < w["scales"].var() < 8.5
    assert 0.99 < np.abs(w["centers"]).max() <= 1
    ratio = np.abs(w["frequencies"]) / np.sqrt(w["scales"])
    limit = 10 / np.sqrt(2 * 2)
    assert 0.99 * limit < ratio.max() <= limit * 1.0001


@pytest.mark.backends("torch")
def test_seeds():
    def start(seed):
        layer = layers.MultiplicativeFilter(1, 8, form="gabor", seed=seed)
        layer.build((None, 2))
        return named_weights(layer)["frequencies"]

    np.testing.assert_array_equal(start(1), start(1))
    assert (start(1) != start(2)).any()
    assert (start(None) != start(None)).any()
    keras.utils.set_random_seed(3)
    first = start(None)
    keras.utils.set_random_seed(3)
    np.testing.assert_array_equal(first, start(None))


@pytest.mark.backends("torch")
def test_half_precision_keeps_the_phase():
    """Neighbors in an image differ, though not as bfloat16."""
    x = np.linspace(0.9, 0.901, 8, dtype="float32")[:, None]
    whole = layers.MultiplicativeFilter(1, 64, seed=1)
    half = layers.MultiplicativeFilter(1, 64, seed=1, dtype="mixed_bfloat16")
    half.build((None, 1)), whole.build((None, 1))
    half.set_weights(whole.get_weights())
    found = ops.cast(half(x), "float32")
    np.testing.assert_allclose(
        ops.convert_to_numpy(found), ops.convert_to_numpy(whole(x)), atol=0.05
    )


@pytest.mark.backends("torch")
@pytest.mark.parametrize(
    "options, message",
    [
        ({"units": 0}, "units=0"),
        ({"hidden_units": 1.5}, "hidden_units=1.5"),
        ({"num_filters": 0}, "num_filters=0"),
        ({"form": "wavelet"}, "'fourier', 'gabor'.*form='wavelet'"),
        ({"input_scale": 0}, "input_scale=0"),
        ({"alpha": -1}, "alpha=-1"),
        ({"beta": "b"}, "beta='b'"),
        ({"seed": 0.5}, "seed=0.5"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        layers.MultiplicativeFilter(**{"units": 2, **options})
