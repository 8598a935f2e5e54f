"""Linear recurrences, all steps of which are computed together."""

from keras import ops

from kmul._sums import add


def linear_recurrence(factors, terms, initial):
    """Returns y_t = factors_t ∘ y_{t−1} + terms_t, with y_{−1} = initial.

    Two steps are together one of the same form. So a recurrence of half as
    many steps gives every second y, and each of the others follows from the
    one before it. That is twice a loop's arithmetic, in log2(length) levels.

    `keras.ops.associative_scan` would do the same, but on torch it returns
    float32 whatever it is given, and takes longer (Keras 3.15.1).

    Args:
        factors: Tensor of shape (batch, length, units), of a known length.
        terms: Tensor of the same shape.
        initial: Tensor of shape (batch, units).
    """
    length, units = terms.shape[1:]
    before = ops.expand_dims(initial, 1)
    if length < 2:
        return add(ops.multiply(factors, before), terms)
    half = (length + 1) // 2
    if length % 2:
        factors = ops.pad(factors, ((0, 0), (0, 1), (0, 0)))
        terms = ops.pad(terms, ((0, 0), (0, 1), (0, 0)))
    pairs = (ops.shape(terms)[0], half, 2, units)
    factor, next_factor = ops.unstack(ops.reshape(factors, pairs), axis=2)
    term, next_term = ops.unstack(ops.reshape(terms, pairs), axis=2)
    second = linear_recurrence(
        ops.multiply(next_factor, factor),
        add(ops.multiply(next_factor, term), next_term),
        initial,
    )
    before = ops.concatenate([before, second[:, :-1]], 1)
    first = add(ops.multiply(factor, before), term)
    both = ops.stack([first, second], 2)
    both = ops.reshape(both, (pairs[0], 2 * half, units))
    return both[:, :length] if length % 2 else both
