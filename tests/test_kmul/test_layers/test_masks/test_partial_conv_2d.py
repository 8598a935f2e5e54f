import json

import keras
import numpy as np
import pytest
from keras import ops
from support.convolution import convolve
from support.gradients import layer_gradients
from support.reference import assert_computes
from support.reference import named_weights
from support.reference import to_single

from kmul import layers


def example(channels, seed=0):
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(2, 6, 5, 3))
    mask = (rng.random((2, 6, 5, channels)) < 0.4).astype("float64")
    mask[0, :4, :4] = 0
    return image, mask


def partial(weights, image, mask, strides, padding):
    kernel = weights["kernel"]
    size = kernel.shape[0] ** 2 * mask.shape[-1]
    ones = np.ones((*kernel.shape[:2], mask.shape[-1], 1))
    count = convolve(mask, ones, strides, padding)
    valid = (count > 0).astype("float64")
    raw = convolve(image * mask, kernel, strides, padding)
    scaled = raw * size / np.maximum(count, 1) + weights["bias"]
    return scaled * valid, valid


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_valid_pixels_only(channels, strides, padding):
    layer = layers.PartialConv2D(
        4, 3, strides=strides, padding=padding, bias_initializer="normal"
    )
    image, mask = example(channels)
    layer.build([image.shape, mask.shape])
    weights = named_weights(layer)
    expected, valid = partial(weights, image, mask, strides, padding)
    assert 0 < valid.mean() < 1
    assert_computes(layer, [image, mask], expected)
    layer.return_mask = True
    _, found = layer(to_single([image, mask]))
    np.testing.assert_array_equal(ops.convert_to_numpy(found), valid)
    assert layer.compute_output_shape([image.shape, mask.shape]) == (
        expected.shape,
        valid.shape,
    )


def test_what_is_masked_does_not_matter():
    layer = layers.PartialConv2D(4, 3, padding="same", activation="relu")
    image, mask = example(1)
    first = layer(to_single([image, mask]))
    second = layer(to_single([image + 100 * (1 - mask), mask]))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(first), ops.convert_to_numpy(second)
    )


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32"])
@pytest.mark.parametrize("channels", [1, 40])
def test_masks_of_any_dtype(dtype, channels):
    """More pixels lie under a window than int8 can count."""
    rng = np.random.default_rng(0)
    image = rng.normal(size=(2, 5, 5, 40)).astype("float32")
    mask = rng.random((2, 5, 5, channels)) < 0.8
    layer = layers.PartialConv2D(4, 5, padding="same", return_mask=True)
    expected = layer([image, mask.astype("float32")])
    found = layer([image, mask.astype(dtype)])
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(
            ops.convert_to_numpy(one), ops.convert_to_numpy(other)
        )


def test_nan_that_is_masked_does_not_matter():
    layer = layers.PartialConv2D(4, 3, padding="same")
    image, mask = to_single(example(1))
    layer.build([image.shape, mask.shape])
    by_input, by_weight = layer_gradients(layer, [image, mask])
    broken = np.where(mask > 0, image, np.nan)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(layer([broken, mask])),
        ops.convert_to_numpy(layer([image, mask])),
    )
    found_input, found_weight = layer_gradients(layer, [broken, mask])
    for found, expected in zip(
        found_input + found_weight, by_input + by_weight, strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_without_a_mask_only_the_padding_is_scaled():
    layer = layers.PartialConv2D(
        4, 3, padding="same", bias_initializer="normal"
    )
    image, _ = example(1)
    layer.build(image.shape)
    ones = np.ones((2, 6, 5, 1))
    weights = named_weights(layer)
    expected, valid = partial(weights, image, ones, 1, "same")
    assert valid.all()
    assert_computes(layer, image, expected)
    inner = convolve(image, weights["kernel"]) + weights["bias"]
    np.testing.assert_allclose(expected[:, 1:-1, 1:-1], inner[:, 1:-1, 1:-1])
    assert np.abs(expected[:, 0] - inner[:, 0]).min() > 0
    layer.return_mask = True
    _, found = layer(np.float32(image))
    np.testing.assert_array_equal(ops.convert_to_numpy(found), valid)
    assert layer.compute_output_shape(image.shape) == (
        expected.shape,
        valid.shape,
    )


def test_without_a_mask_in_a_model():
    image = keras.Input((6, 5, 3))
    outputs = layers.PartialConv2D(4, 3, padding="same", return_mask=True)(
        image
    )
    model = keras.Model(image, outputs)
    found, mask = model.predict(example(1)[0], verbose=0)
    assert found.shape == (2, 6, 5, 4)
    assert mask.shape == (2, 6, 5, 1)


def test_zero_padding_before_it_pads_on_both_sides():
    """As PyTorch does, where Keras pads images of even sizes at the end."""
    image, mask = example(1)
    layer = layers.PartialConv2D(4, 3, strides=2)
    pad = keras.layers.ZeroPadding2D(1)
    found = layer([pad(each) for each in to_single([image, mask])])
    padded = [
        np.pad(each, [(0, 0), (1, 1), (1, 1), (0, 0)]) for each in (image, mask)
    ]
    expected, _ = partial(named_weights(layer), *padded, 2, "valid")
    np.testing.assert_allclose(
        ops.convert_to_numpy(found), expected, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("channels", [1, 4])
def test_groups(channels):
    layer = layers.PartialConv2D(6, 3, padding="same", groups=2)
    rng = np.random.default_rng(0)
    image = rng.normal(size=(2, 6, 5, 4))
    mask = (rng.random((2, 6, 5, channels)) < 0.4).astype("float64")
    layer.build([image.shape, mask.shape])
    assert layer.count_params() == 9 * 2 * 6 + 6
    kernel = named_weights(layer)["kernel"]
    hidden = image * mask
    raw = np.concatenate(
        [
            convolve(hidden[..., :2], kernel[..., :3]),
            convolve(hidden[..., 2:], kernel[..., 3:]),
        ],
        axis=-1,
    )
    count = convolve(mask, np.ones((3, 3, channels, 1)))
    expected = raw * (9 * channels) / np.maximum(count, 1)
    assert_computes(layer, [image, mask], expected)
    copy = layers.PartialConv2D.from_config(layer.get_config())
    assert copy.groups == 2


def test_all_valid_is_a_convolution():
    layer = layers.PartialConv2D(4, 3)
    image, _ = example(1)
    layer.build([image.shape, (2, 6, 5, 1)])
    expected = convolve(image, named_weights(layer)["kernel"], 1, "valid")
    assert_computes(layer, [image, np.ones((2, 6, 5, 1))], expected)
    assert layer.count_params() == 9 * 3 * 4 + 4


@pytest.mark.parametrize(
    "shapes, message",
    [
        ((2, 6, 5), "images of rank 4, or on a list or tuple of images and"),
        ([(2, 6, 5, 3)], "images of rank 4, or on a list or tuple of images"),
        ([(2, 6, 5, 3), (2, 6, 5)], "tuple of images and masks of rank 4"),
        ((2, 6, 5, None), "whose number should be defined"),
        ([(2, 6, 5, 3), (2, 6, 5, 2)], "masks .* should have one channel, or"),
        ([(2, 6, 5, None), (2, 6, 5, 1)], "whose number should be defined"),
        ([(2, 6, 5, 3), (2, 6, 4, 1)], "should have one size"),
    ],
)
def test_bad_shapes(shapes, message):
    with pytest.raises(ValueError, match=message):
        layers.PartialConv2D(4, 3).build(shapes)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"filters": -4}, r"`filters`\. Expected a positive integer"),
        (
            {"kernel_size": True},
            r"`kernel_size`\. .* Received: kernel_size=True",
        ),
        (
            {"kernel_size": (3, 3, 3)},
            r"`kernel_size`\. Expected a positive integer or a list of 2 of "
            r"them\. Received: kernel_size=\(3, 3, 3\)",
        ),
        ({"strides": (1, 0)}, "`strides`.* Received: strides=0"),
        ({"dilation_rate": 1.5}, "Received: dilation_rate=1.5"),
        ({"groups": 0}, "Received: groups=0"),
        (
            {"padding": 3},
            r"`padding`\. Expected one of \('valid', 'same'\)\. Received: "
            "padding=3",
        ),
        ({"data_format": "hwc"}, r"`data_format`\. Expected one of"),
        ({"use_bias": "no"}, r"`use_bias`\. Expected True or False\."),
        ({"return_mask": 1}, "True or False. Received: return_mask=1"),
        ({"pading": "same"}, "pading"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.PartialConv2D(**{"filters": 4, "kernel_size": 3, **arguments})


def test_numpy_integers_are_integers():
    four, three = np.int64(4), np.int32(3)
    layer = layers.PartialConv2D(four, (three, three), strides=np.int8(2))
    json.dumps(layer.get_config())
    assert layer(np.ones((1, 6, 5, 3), "float32")).shape == (1, 2, 2, 4)
