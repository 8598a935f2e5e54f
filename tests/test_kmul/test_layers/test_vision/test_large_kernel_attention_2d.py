import pytest
from support.convolution import convolve_depthwise
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers


def formula(w, x, dilation):
    gate = convolve_depthwise(x, w["local_kernel"]) + w["local_bias"]
    gate = convolve_depthwise(gate, w["dilated_kernel"], dilation)
    gate = gate + w["dilated_bias"]
    return x * (gate @ w["channel_kernel"] + w["channel_bias"])


def test_formula():
    layer = layers.LargeKernelAttention2D(data_format="channels_last")
    weights, x = prepare(layer, (1, 12, 11, 2))
    assert weights["local_kernel"].shape == (5, 5, 2, 1)
    assert weights["dilated_kernel"].shape == (7, 7, 2, 1)
    assert_computes(layer, x, formula(weights, x, 3))


@pytest.mark.backends("torch")
@pytest.mark.parametrize(
    "size, dilation, local, far", [(7, 2, 3, 4), (3, 1, 1, 3)]
)
def test_other_sizes(size, dilation, local, far):
    layer = layers.LargeKernelAttention2D(size, dilation)
    weights, x = prepare(layer, (1, 8, 9, 2))
    assert weights["local_kernel"].shape[:2] == (local, local)
    assert weights["dilated_kernel"].shape[:2] == (far, far)
    assert_computes(layer, x, formula(weights, x, dilation))


def test_bad_arguments():
    with pytest.raises(ValueError, match="Received: kernel_size=0"):
        layers.LargeKernelAttention2D(0)
    with pytest.raises(ValueError, match="`dilation_rate`. Expected a pos"):
        layers.LargeKernelAttention2D(21, 1.5)
