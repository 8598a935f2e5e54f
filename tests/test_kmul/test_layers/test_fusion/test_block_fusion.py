import numpy as np
import pytest
from support.reference import assert_computes
from support.reference import prepare

from kmul import layers

from .formulas import SHAPES
from .formulas import dense
from .formulas import normalized


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("shapes", SHAPES)
def test_block(shapes, normalize):
    layer = layers.BLOCKFusion(3, 6, rank=2, chunks=2, normalize=normalize)
    weights, (x, y) = prepare(layer, shapes)
    projected = {
        "first": dense(weights, "first", x),
        "second": dense(weights, "second", y),
    }
    chunks = []
    for c in range(2):
        product = 1.0
        for name, each in projected.items():
            columns = slice(6 * c, 6 * (c + 1))
            kernel = weights[f"{name}_merge_kernel"][:, columns]
            bias = weights[f"{name}_merge_bias"][columns]
            product = product * (each[..., 3 * c : 3 * c + 3] @ kernel + bias)
        chunk = product[..., :3] + product[..., 3:]
        chunks.append(normalized(chunk) if normalize else chunk)
    expected = dense(weights, "output", np.concatenate(chunks, axis=-1))
    assert_computes(layer, [x, y], expected)


def test_block_with_a_smaller_last_chunk():
    layer = layers.BLOCKFusion(3, 7, rank=2, chunks=3)
    weights, (x, y) = prepare(layer, [(6, 2, 4), (6, 2, 5)])
    projected = [dense(weights, "first", x), dense(weights, "second", y)]
    chunks = []
    for start, size, suffix, c in (
        (0, 3, "", 0),
        (3, 3, "", 1),
        (6, 1, "_last", 0),
    ):
        product = 1.0
        for name, each in zip(("first", "second"), projected, strict=True):
            columns = slice(2 * size * c, 2 * size * (c + 1))
            kernel = weights[f"{name}_merge{suffix}_kernel"][:, columns]
            bias = weights[f"{name}_merge{suffix}_bias"][columns]
            product *= each[..., start : start + size] @ kernel + bias
        chunks.append(normalized(product[..., :size] + product[..., size:]))
    expected = dense(weights, "output", np.concatenate(chunks, axis=-1))
    assert_computes(layer, [x, y], expected)


@pytest.mark.parametrize("shapes", SHAPES)
def test_block_tucker(shapes):
    layer = layers.BLOCKTuckerFusion(3, 6, chunks=2)
    weights, (x, y) = prepare(layer, shapes)
    first, second = dense(weights, "first", x), dense(weights, "second", y)
    chunks = []
    for c in range(2):
        part = slice(3 * c, 3 * c + 3)
        product = weights["core_bias"][part] + np.einsum(
            "...i,...j,ijo->...o",
            first[..., part],
            second[..., part],
            weights["core_kernel"][:, part].reshape(3, 3, 3),
        )
        chunks.append(normalized(product))
    expected = dense(weights, "output", np.concatenate(chunks, axis=-1))
    assert_computes(layer, [x, y], expected)
