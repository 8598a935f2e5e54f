"""Convolutions written out in NumPy."""

import numpy as np


def convolve(x, kernel, strides=1, padding="same"):
    """Cross-correlation of channels-last images with a square kernel."""
    size = kernel.shape[0]
    if padding == "same":
        out = [-(-n // strides) for n in x.shape[1:3]]
        pads = [
            max((o - 1) * strides + size - n, 0)
            for o, n in zip(out, x.shape[1:3], strict=True)
        ]
        x = np.pad(x, [(0, 0), *((p // 2, p - p // 2) for p in pads), (0, 0)])
    else:
        out = [(n - size) // strides + 1 for n in x.shape[1:3]]
    result = np.zeros((x.shape[0], *out, kernel.shape[-1]))
    for i in range(out[0]):
        for j in range(out[1]):
            rows = slice(i * strides, i * strides + size)
            columns = slice(j * strides, j * strides + size)
            result[:, i, j] = np.einsum(
                "bhwc,hwco->bo", x[:, rows, columns], kernel
            )
    return result


def convolve_depthwise(x, kernel, dilation=1):
    """Cross-correlation of each channel with a square kernel of its own."""
    size = kernel.shape[0]
    height, width = x.shape[1:3]
    before = dilation * (size - 1) // 2
    pads = (before, dilation * (size - 1) - before)
    x = np.pad(x, [(0, 0), pads, pads, (0, 0)])
    result = 0
    for i in range(size):
        for j in range(size):
            rows = slice(i * dilation, i * dilation + height)
            columns = slice(j * dilation, j * dilation + width)
            result = result + x[:, rows, columns] * kernel[i, j, :, 0]
    return result
