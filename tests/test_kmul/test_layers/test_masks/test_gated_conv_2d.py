import keras
import numpy as np
import pytest
from support.convolution import convolve
from support.layer_checks import random_inputs
from support.reference import assert_computes
from support.reference import named_weights
from support.reference import sigmoid

from kmul import layers


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_value_times_gate(strides, padding):
    layer = layers.GatedConv2D(
        4,
        3,
        strides=strides,
        padding=padding,
        activation="tanh",
        bias_initializer="normal",
    )
    x = random_inputs((2, 6, 5, 3))
    layer.build(x.shape)
    assert layer.count_params() == 9 * 3 * 8 + 8
    weights = named_weights(layer)
    both = convolve(x, weights["kernel"], strides, padding) + weights["bias"]
    expected = np.tanh(both[..., :4]) * sigmoid(both[..., 4:])
    assert_computes(layer, x, expected)
    assert layer.compute_output_shape(x.shape) == expected.shape


def test_value_and_gate_start_as_two_kernels():
    layer = layers.GatedConv2D(50, 3)
    layer.build((2, 6, 5, 30))
    kernel = layer.get_weights()[0]
    assert np.abs(kernel[..., :50] - kernel[..., 50:]).max() > 0.05
    # The bound is that of a kernel of 50 filters, not of 100.
    assert 0.98 < np.abs(kernel).max() / np.sqrt(6 / (9 * 80)) <= 1


def test_regularizers_and_constraints():
    layer = layers.GatedConv2D(
        2,
        3,
        kernel_regularizer="l2",
        bias_regularizer="l1",
        kernel_constraint="non_neg",
        bias_constraint="max_norm",
        data_format="channels_last",
    )
    layer = layers.GatedConv2D.from_config(layer.get_config())
    layer.build((2, 6, 5, 3))
    assert len(layer.losses) == 2
    kernel, bias = layer.convolution.weights
    assert isinstance(kernel.constraint, keras.constraints.NonNeg)
    assert isinstance(bias.constraint, keras.constraints.MaxNorm)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"filters": 0}, r"`filters`\. Expected a positive integer"),
        ({"kernel_size": 0}, "kernel_size"),
        ({"kernel_size": True}, "Received: kernel_size=True"),
        ({"padding": 3}, r"`padding`\. Expected one of .* padding=3"),
        ({"use_bias": None}, "True or False. Received: use_bias=None"),
        ({"gate": "relu"}, "gate"),
        ({"data_format": "hwc"}, "data_format"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.GatedConv2D(**{"filters": 2, "kernel_size": 3, **arguments})


def test_bad_shapes():
    with pytest.raises(ValueError, match="inputs of rank 4 with a defined"):
        layers.GatedConv2D(2, 3).build((2, 6, 5))
