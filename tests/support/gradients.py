"""Gradients on whichever backend runs, as NumPy arrays."""

import keras
import numpy as np
from keras import ops


def gradients(function, arrays):
    """Returns d function(*arrays) / d arrays as a list of NumPy arrays.

    Args:
        function: Called on one tensor per array, gives a scalar tensor.
        arrays: List of NumPy arrays.
    """
    backend = keras.config.backend()
    tensors = [ops.convert_to_tensor(array) for array in arrays]
    if backend == "jax":
        import jax

        found = jax.grad(
            lambda *args: function(*args), argnums=tuple(range(len(tensors)))
        )(*tensors)
    elif backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            for tensor in tensors:
                tape.watch(tensor)
            value = function(*tensors)
        found = tape.gradient(
            value, tensors, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
    else:
        tensors = [t.detach().requires_grad_() for t in tensors]
        function(*tensors).backward()
        found = [
            t.new_zeros(t.shape) if t.grad is None else t.grad for t in tensors
        ]
    return [np.array(ops.convert_to_numpy(each)) for each in found]


def layer_gradients(layer, arrays, weights=None):
    """Gradients of the sum of a layer's squared outputs.

    Args:
        layer: A built layer.
        arrays: One NumPy array, or a list for a layer of several inputs.
        weights: List of NumPy arrays, the layer's trainable weights unless
            given.

    Returns:
        Gradients with respect to the inputs, and to the trainable weights.
    """
    single = isinstance(arrays, np.ndarray)
    inputs = [arrays] if single else list(arrays)
    if weights is None:
        weights = [
            np.array(ops.convert_to_numpy(v)) for v in layer.trainable_variables
        ]
    constant = [v.value for v in layer.non_trainable_variables]

    def loss(*tensors):
        given = list(tensors[: len(inputs)])
        outputs, _ = layer.stateless_call(
            list(tensors[len(inputs) :]),
            constant,
            given[0] if single else given,
        )
        return ops.sum(ops.square(outputs))

    found = gradients(loss, inputs + list(weights))
    return found[: len(inputs)], found[len(inputs) :]
