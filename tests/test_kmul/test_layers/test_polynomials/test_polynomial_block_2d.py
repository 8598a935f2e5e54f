import keras
import numpy as np
import pytest
from keras import ops
from support.convolution import convolve
from support.layer_checks import random_inputs
from support.reference import assert_computes
from support.reference import named_weights
from support.reference import to_double

from kmul import layers


def block(weights, x, strides, form, activation):
    """Without normalization."""
    hidden = activation(convolve(x, weights["kernel_1"], strides))
    out = convolve(hidden, weights["kernel_2"])
    shortcut = x
    if "shortcut_kernel" in weights:
        shortcut = convolve(x, weights["shortcut_kernel"], strides)
    if form == "pdc":
        first = convolve(shortcut, weights["factor_kernel_1"])
        product = first * convolve(shortcut, weights["factor_kernel_2"])
    else:
        product = convolve(out * shortcut, weights["product_kernel"])
        product = product * weights.get("alpha", 1)
    return activation(out + shortcut + product)


def prepare(layer, shape):
    layer.build(shape)
    rng = np.random.default_rng(1)
    weights = {}
    for variable in layer.trainable_variables:
        value = rng.normal(scale=0.3, size=variable.shape).astype("float32")
        variable.assign(value)
        weights[variable.name] = to_double(value)
    return weights, to_double(random_inputs(shape))


@pytest.mark.parametrize(
    "form, use_alpha",
    [("pdc", True), ("regularized", True), ("regularized", False)],
)
@pytest.mark.parametrize("filters, strides", [(3, 1), (2, 1), (3, 2)])
def test_forms(form, use_alpha, filters, strides):
    layer = layers.PolynomialBlock2D(
        filters,
        strides=strides,
        form=form,
        use_alpha=use_alpha,
        activation="tanh",
        normalization=False,
        data_format="channels_last",
    )
    weights, x = prepare(layer, (2, 5, 4, 3))
    assert_computes(layer, x, block(weights, x, strides, form, np.tanh))


def test_without_activation_it_is_a_polynomial_of_second_degree():
    layer = layers.PolynomialBlock2D(3, normalization=False)
    weights, x = prepare(layer, (2, 4, 4, 3))
    assert_computes(layer, x, block(weights, x, 1, "pdc", lambda x: x))
    both = ops.convert_to_numpy(layer(np.float32(x)) + layer(-np.float32(x)))
    double = ops.convert_to_numpy(
        layer(2 * np.float32(x)) + layer(-2 * np.float32(x))
    )
    np.testing.assert_allclose(double, 4 * both, rtol=1e-3, atol=1e-4)


def test_alpha_at_zero_is_the_plain_residual_block():
    layer = layers.PolynomialBlock2D(3, form="regularized", normalization=False)
    weights, x = prepare(layer, (2, 4, 4, 3))
    layer.alpha.assign([0.0])
    weights["alpha"] = np.zeros(1)
    residual = convolve(x, weights["kernel_1"])
    residual = convolve(residual, weights["kernel_2"])
    assert_computes(layer, x, residual + x)
    fresh = layers.PolynomialBlock2D(3, form="regularized")
    fresh.build((2, 4, 4, 3))
    np.testing.assert_array_equal(ops.convert_to_numpy(fresh.alpha), [0.0])


def test_normalization_follows_every_convolution_but_the_products():
    layer = layers.PolynomialBlock2D(5)
    layer.build((2, 4, 4, 3))
    convolutions = 9 * 3 * 5 + 9 * 5 * 5 + 3 * 5 + 2 * 9 * 5 * 5
    assert layer.count_params() == convolutions + 3 * 4 * 5
    x = random_inputs((2, 4, 4, 3))
    before = layer.get_weights()
    layer(x, training=True)
    moved = [
        not np.array_equal(old, new)
        for old, new in zip(before, layer.get_weights(), strict=True)
    ]
    assert sum(moved) == 3 * 2


def normalize(x):
    """Batch normalization of a training step, with γ = 1 and β = 0."""
    axes = (0, 1, 2)
    return (x - x.mean(axes)) / np.sqrt(x.var(axes) + 1e-5)


def test_the_regularized_product_is_normalized():
    layer = layers.PolynomialBlock2D(3, form="regularized", activation="tanh")
    layer.build((2, 4, 4, 3))
    layer.alpha.assign([0.7])
    weights = named_weights(layer)
    x = to_double(random_inputs((2, 4, 4, 3)))
    out = np.tanh(normalize(convolve(x, weights["kernel_1"])))
    out = normalize(convolve(out, weights["kernel_2"]))
    product = normalize(convolve(out * x, weights["product_kernel"]))
    expected = np.tanh(out + x + 0.7 * product)
    assert_computes(layer, x, expected, training=True)
    assert layer.product_normalization.variables[2].path.endswith(
        "product_normalization/moving_mean"
    )


def test_a_config_of_before_has_no_normalization_of_the_product():
    layer = layers.PolynomialBlock2D(3, form="regularized")
    config = layer.get_config()
    assert config.pop("normalize_product")
    del config["use_alpha"], config["kernel_constraint"]
    old = layers.PolynomialBlock2D.from_config(config)
    for each in (layer, old):
        each.build((2, 4, 4, 3))
    assert len(layer.weights) - len(old.weights) == 4
    copy = layers.PolynomialBlock2D.from_config(old.get_config())
    assert copy.get_config() == old.get_config()


@pytest.mark.parametrize("form", ["pdc", "regularized"])
def test_stateless_call_under_mixed_precision(form):
    layer = layers.PolynomialBlock2D(3, form=form, dtype="mixed_bfloat16")
    x = random_inputs((2, 4, 4, 3))
    expected = layer(x)
    found, _ = layer.stateless_call(
        [v.value for v in layer.trainable_variables],
        [v.value for v in layer.non_trainable_variables],
        ops.convert_to_tensor(x),
    )
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    np.testing.assert_array_equal(
        ops.convert_to_numpy(ops.cast(found, "float32")),
        ops.convert_to_numpy(ops.cast(expected, "float32")),
    )


def test_a_shared_block_is_regularized_once():
    layer = layers.PolynomialBlock2D(3, kernel_regularizer="l2")
    images = keras.Input((4, 4, 3))
    model = keras.Model(images, layer(layer(images)))
    model(random_inputs((2, 4, 4, 3)))
    assert len(model.losses) == len(layer.losses) == 4


def test_kernels_differ_with_one_seed():
    layer = layers.PolynomialBlock2D(
        3, kernel_initializer=keras.initializers.HeNormal(seed=1)
    )
    layer.build((2, 4, 4, 3))
    first, second = layer.factor_kernels
    assert not np.allclose(
        ops.convert_to_numpy(first), ops.convert_to_numpy(second)
    )


def test_every_kernel_is_regularized():
    layer = layers.PolynomialBlock2D(5, kernel_regularizer="l2")
    layer = layers.PolynomialBlock2D.from_config(layer.get_config())
    layer.build((2, 4, 4, 3))
    # Two of the residual, the shortcut's, and two factors.
    assert len(layer.losses) == 5


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"filters": 0}, r"`filters`\. Expected a positive integer"),
        (
            {"filters": 1, "kernel_size": (3, 3)},
            r"kernel_size=\(3, 3",
        ),
        ({"filters": 1, "strides": -1}, r"`strides`\. Expected a positive"),
        ({"filters": 1, "form": "r"}, r"`form`\. Expected one of \('pdc',"),
        ({"filters": 1, "data_format": "hwc"}, r"`data_format`\. Expected one"),
        ({"filters": 1, "kernel_size": True}, "Received: kernel_size=True"),
        ({"filters": 1, "normalization": "no"}, "`normalization`. .*'no'"),
        ({"filters": 1, "use_alpha": 0}, "True or False. .*use_alpha=0"),
        ({"filters": 1, "normalize_product": None}, "`normalize_product`"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.PolynomialBlock2D(**arguments)


@pytest.mark.parametrize("shape", [(2, 4, 3), (2, 4, 4, None)])
def test_bad_shapes(shape):
    with pytest.raises(ValueError, match="inputs of rank 4 with a defined"):
        layers.PolynomialBlock2D(3).build(shape)
