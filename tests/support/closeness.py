import numpy as np
from keras import ops


def to_numpy(tensor):
    return np.array(ops.convert_to_numpy(tensor))


def assert_close(actual, expected, rtol=1e-4, atol=1e-5):
    """Two tensors or arrays, of whichever backend, agree."""
    np.testing.assert_allclose(
        to_numpy(actual), to_numpy(expected), rtol=rtol, atol=atol
    )
