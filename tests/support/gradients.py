"""Gradients on whichever backend runs, as NumPy arrays."""

import contextlib
import functools
from unittest import mock

import keras
import numpy as np
from keras import ops


@contextlib.contextmanager
def double_precision():
    """Lets Keras compute in float64 on every backend.

    JAX has no float64 unless it is enabled. Keras itself promotes float64 to
    float32 in many operations (`keras.ops.matmul` on torch for one), except on
    TensorFlow, by a table that nothing public reaches.
    """
    from keras.src.backend.common import dtypes

    table = {"float64": "float64"}
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(dtypes.BIT64_TO_BIT32_DTYPE, table))
        if keras.config.backend() == "jax":
            import jax

            stack.enter_context(jax.enable_x64(True))
        yield


def gradients(function, arrays):
    """Returns d function(*arrays) / d arrays as a list of NumPy arrays.

    Args:
        function: Called on one tensor per array, gives a scalar tensor.
        arrays: List of NumPy arrays.
    """
    backend = keras.config.backend()
    tensors = [ops.convert_to_tensor(array) for array in arrays]
    if backend == "jax":
        found = compiled_gradients(function, len(tensors))(*tensors)
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


@functools.lru_cache(maxsize=1)
def compiled_gradients(function, count):
    """Returns JAX's gradients, compiled once for a function called often."""
    import jax

    return jax.jit(jax.grad(function, argnums=tuple(range(count))))


def compile_on_jax(function):
    """Returns `function`, compiled as a whole on JAX.

    Compiling one operation after the other takes most of a test's time there.
    """
    if keras.config.backend() != "jax":
        return function
    import jax

    return jax.jit(function)


def call(layer, inputs):
    """Returns a layer's outputs, compiled as a whole on JAX."""
    if keras.config.backend() != "jax":
        return layer(inputs)
    if not layer.built:
        shapes = [x.shape for x in inputs]
        layer.build(shapes if isinstance(inputs, list) else inputs.shape)

    def function(values, inputs):
        mapping = list(zip(layer.variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return layer(inputs)

    values = [variable.value for variable in layer.variables]
    return compile_on_jax(function)(values, inputs)


def layer_loss(layer, several):
    """Returns the sum of a layer's squared outputs as a function of tensors.

    Args:
        layer: A built layer.
        several: Boolean, whether it is called on a list.

    Returns:
        A function of the inputs, followed by the trainable weights.
    """
    constant = [v.value for v in layer.non_trainable_variables]
    weights = len(layer.trainable_variables)

    def loss(*tensors):
        inputs = list(tensors[: len(tensors) - weights])
        outputs, _ = layer.stateless_call(
            list(tensors[len(tensors) - weights :]),
            constant,
            inputs if several else inputs[0],
        )
        return ops.sum(ops.square(outputs))

    return loss


def layer_gradients(layer, arrays, weights=None, loss=None):
    """Gradients of the sum of a layer's squared outputs.

    Args:
        layer: A built layer.
        arrays: One NumPy array, or a list for a layer of several inputs.
        weights: List of NumPy arrays, the layer's trainable weights unless
            given.
        loss: Its `layer_loss`, compiled once if it is given.

    Returns:
        Gradients with respect to the inputs, and to the trainable weights.
    """
    several = not isinstance(arrays, np.ndarray)
    inputs = list(arrays) if several else [arrays]
    if weights is None:
        weights = [
            np.array(ops.convert_to_numpy(v)) for v in layer.trainable_variables
        ]
    loss = loss or layer_loss(layer, several)
    found = gradients(loss, inputs + list(weights))
    return found[: len(inputs)], found[len(inputs) :]
