"""Products of tensors that several layers share, in the cheapest order."""

from keras import ops

from kmul._sums import add
from kmul._sums import add_bias

# Elements per sample beyond which an outer product is made in pieces.
LARGEST_OUTER_PRODUCT = 2**16


def linear(inputs, kernel, bias=None):
    """Returns `inputs kernel + bias`."""
    return add_bias(ops.matmul(inputs, kernel), bias)


def split_features(inputs, *sizes):
    """Returns `inputs` with its last axis cut into axes of these sizes."""
    return ops.reshape(inputs, (*ops.shape(inputs)[:-1], *sizes))


def match_rank(context, rank):
    """Returns a (batch, features) tensor as (batch, 1, ..., features)."""
    while len(context.shape) < rank:
        context = ops.expand_dims(context, 1)
    return context


def outer_product(first, second):
    """Returns all products of features, those of `first` varying slowest.

    They are computed as a matrix product of a column and a row: its gradients
    are also matrix products, up to 1.3 times as fast as to multiply and sum
    with broadcasting. See `benchmarks.contractions`.

    Args:
        first: Tensor of shape (batch, ..., m).
        second: Tensor of shape (batch, ..., n).

    Returns:
        A tensor of shape (batch, ..., m · n).
    """
    products = ops.matmul(
        ops.expand_dims(first, -1), ops.expand_dims(second, -2)
    )
    width = first.shape[-1] * second.shape[-1]
    return ops.reshape(products, (*ops.shape(products)[:-2], width))


def product_of_rows(factors):
    """Returns the products over the axis before the last.

    Halves are multiplied with each other until one row is left. So the
    gradient is that of a product, exact also where one or more factors are
    zero, and everything is a plain multiplication on every backend.

    Args:
        factors: Tensor of shape (batch, ..., n, units).

    Returns:
        A tensor of shape (batch, ..., units).
    """
    count = factors.shape[-2]
    odd_ones = []
    while count > 1:
        half = count // 2
        # The gradient of a split is one concatenation; that of two slices
        # would be the sum of two tensors padded with zeros.
        at = [half, 2 * half] if count % 2 else 2
        first, second, *odd = ops.split(factors, at, axis=-2)
        odd_ones += [ops.squeeze(each, -2) for each in odd]
        factors = ops.multiply(first, second)
        count = half
    product = factors[..., 0, :]
    for each in odd_ones:
        product = ops.multiply(product, each)
    return product


def bilinear(first, second, kernel):
    """Returns y_o = Σ_ij first_i second_j kernel_ijo.

    All orders of contraction multiply about batch · m · n · out times. What
    they differ in is the intermediate tensor they make per sample: (m, n),
    (n, out) or (m, out). Of equals the outer product (m, n) is as fast as any,
    but for small ones on JAX, and much faster where no gradient of the inputs
    is needed on torch (`benchmarks.contractions`); another is chosen where it
    is less than half as large.

    Args:
        first: Tensor of shape (batch, ..., m), or (batch, m), which is shared
            by the other axes of `second`.
        second: Tensor of shape (batch, ..., n).
        kernel: Tensor of shape (m, n, out).

    Returns:
        A tensor of shape (batch, ..., out).
    """
    m, n, out = kernel.shape
    if len(first.shape) < len(second.shape):
        # One kernel per sample, whatever the number of its positions.
        generated = _contract_first(first, kernel)
        for _ in range(len(second.shape) - 3):
            generated = ops.expand_dims(generated, 1)
        return ops.matmul(second, generated)
    if 2 * min(n, m) * out >= m * n:
        return _contract_outer_product(first, second, kernel)
    if n <= m:
        return _contract_pairs(second, _contract_first(first, kernel))
    swapped = ops.transpose(kernel, (1, 0, 2))
    return _contract_pairs(first, _contract_first(second, swapped))


def _contract_outer_product(first, second, kernel):
    m, n, out = kernel.shape
    kernel = ops.reshape(kernel, (m * n, out))
    step = max(1, LARGEST_OUTER_PRODUCT // n)
    if step >= m:
        return ops.matmul(outer_product(first, second), kernel)
    outputs = None
    for start in range(0, m, step):
        stop = min(start + step, m)
        products = outer_product(first[..., start:stop], second)
        each = ops.matmul(products, kernel[start * n : stop * n])
        outputs = each if outputs is None else add(outputs, each)
    return outputs


def _contract_first(first, kernel):
    m, n, out = kernel.shape
    generated = ops.matmul(first, ops.reshape(kernel, (m, n * out)))
    return split_features(generated, n, out)


def _contract_pairs(vectors, matrices):
    """Multiplies (batch, ..., n) by (batch, ..., n, out), pair by pair."""
    products = ops.matmul(ops.expand_dims(vectors, -2), matrices)
    return ops.squeeze(products, -2)
