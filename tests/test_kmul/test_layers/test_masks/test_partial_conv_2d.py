import numpy as np
import pytest
from keras import ops
from support.convolution import convolve
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
        ((2, 6, 5, 3), "list or tuple of two tensors of rank 4, images and"),
        ([(2, 6, 5, 3)], "list or tuple of two tensors of rank 4, images and"),
        ([(2, 6, 5, 3), (2, 6, 5)], "two tensors of rank 4, images and masks"),
        ([(2, 6, 5, 3), (2, 6, 5, 2)], "masks .* should have one channel, or"),
        ([(2, 6, 5, None), (2, 6, 5, 1)], "whose number should be defined"),
        ([(2, 6, 5, 3), (2, 6, 4, 1)], "should have one size"),
    ],
)
def test_bad_shapes(shapes, message):
    with pytest.raises(ValueError, match=message):
        layers.PartialConv2D(4, 3).build(shapes)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"`filters`\. Expected a positive"):
        layers.PartialConv2D(-4, 3)
    with pytest.raises(ValueError, match="padding"):
        layers.PartialConv2D(4, 3, padding="full")
