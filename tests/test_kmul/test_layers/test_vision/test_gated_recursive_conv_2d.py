import pytest
from support.convolution import convolve_depthwise
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers


def formula(w, x, widths, scale):
    x = x @ w["input_kernel"] + w["input_bias"]
    product, factors = x[..., : widths[0]], x[..., widths[0] :]
    factors = convolve_depthwise(factors, w["depthwise_kernel"])
    factors = scale * (factors + w["depthwise_bias"])
    start = 0
    for step, width in enumerate(widths, 1):
        if step > 1:
            product = product @ w[f"step_{step}_kernel"]
            product = product + w[f"step_{step}_bias"]
        product = product * factors[..., start : start + width]
        start += width
    return product @ w["output_kernel"] + w["output_bias"]


def test_formula():
    layer = layers.GatedRecursiveConv2D(
        3, scale=1 / 3, data_format="channels_last"
    )
    weights, x = prepare(layer, (1, 6, 5, 4))
    assert weights["input_kernel"].shape == (4, 8)
    assert_computes(layer, x, formula(weights, x, [1, 2, 4], 1 / 3))


@pytest.mark.backends("torch")
@pytest.mark.parametrize(
    "order, channels, widths",
    [(1, 3, [3]), (2, 4, [2, 4]), (3, 7, [1, 3, 7]), (5, 16, [1, 2, 4, 8, 16])],
)
def test_orders(order, channels, widths):
    layer = layers.GatedRecursiveConv2D(order, kernel_size=3)
    weights, x = prepare(layer, (2, 4, 3, channels))
    assert weights["depthwise_kernel"].shape == (3, 3, sum(widths), 1)
    assert_computes(layer, x, formula(weights, x, widths, 1))


def test_bad_arguments():
    with pytest.raises(ValueError, match="`order`. Expected a positive int"):
        layers.GatedRecursiveConv2D(0)
    with pytest.raises(ValueError, match="`scale`. Expected a finite number"):
        layers.GatedRecursiveConv2D(scale="a third")
    with pytest.raises(ValueError, match="of order 4 should have at least 8"):
        layers.GatedRecursiveConv2D(4).build((2, 4, 4, 7))
