"""Meanings of the names in a report, and problems that are the same."""

import ast
import importlib.util
import pathlib

import numpy as np

import tasks

_SUMS = "where s and t are the sums of two parts of a vector"
TASKS = {
    "concat": "both vectors, one after the other",
    "elementwise_mul": "the product of each element of a and that of b",
    "elementwise_add": "the sum of each element of a and that of b",
    "dot": "the dot product of a and b",
    "reduce_sum": "the sum of all elements of a and b",
    "reduce_max": "the largest element of a and b",
    "equality": "for each element of a, whether that of b is equal",
    "almost_equal": "for each element of a, whether that of b is within 0.001",
    "one_hot_sum": "the sum of the two integers whose one-hot vectors are a "
    "and b, as a one-hot vector",
    "logical_and": "for each element, whether both a and b are not 0",
    "logical_or": "for each element, whether a or b is not 0",
    "logical_xor": "for each element, whether exactly one of a and b is not 0",
    "arithmetic_ops/add": f"s + t, {_SUMS}",
    "arithmetic_ops/sub": f"s − t, {_SUMS}",
    "arithmetic_ops/mul": f"s · t, {_SUMS}",
    "arithmetic_ops/div": f"s / t, {_SUMS}",
    "arithmetic_ops/square": "s², where s is the sum of a part of a vector",
    "arithmetic_ops/root": "√s, where s is the sum of a part of a vector",
    "placed_digits": "which handwritten digit an image shows",
    "placed_digits/digit": "which handwritten digit an image shows",
    "placed_digits/position": "where in an image a handwritten digit is",
    "placed_digits/both": "which handwritten digit an image shows, and where",
}
INPUTS = {
    "one_hot": "vectors a and b, each with a single 1 at a random place",
    "many_hot": "vectors a and b of bits, each 0 or 1 by chance",
    "random": "vectors a and b of numbers between −1 and 1",
    "random_pos": "vectors a and b of numbers between 0 and 1",
    "uniform": "a vector of 100 numbers, from 1 to 2 in training and from 2 to "
    "6 in the test",
    "images": "images with a label",
}
NETWORKS = {
    "dense": "dense layers on a and b side by side",
    "dense_residual": "the same, where each layer adds its input to its output "
    "if both are of one width",
    "multiply": "a dense layer on a and one on b, the product of both element "
    "by element, and a dense layer",
    "multiply_simple": "the product of a and b element by element, and a dense "
    "layer",
    "cnn": "convolutions, of which the last is read out",
    "cnn_residual": "the same with residual connections",
    "cnn_attention": "convolutions, all read out through attention",
}


def of_task(name):
    """Returns the definition of a task, or "" if it is not known here."""
    if name not in TASKS and "/" not in name and ":" not in name:
        return f"the class of an image of the TensorFlow dataset {name}"
    return TASKS.get(name, "")


def of_inputs(name):
    """Returns what inputs are, or "" if they are not known here."""
    return INPUTS.get(name, "")


def of_network(name):
    """Returns the definition of a network, or "" if it is not known here.

    That of a layer stands in its own documentation, of which this reads the
    first line without importing Keras.
    """
    plain = name.partition(":")[0]
    if plain in NETWORKS:
        return NETWORKS[plain]
    (root,) = importlib.util.find_spec("kmul").submodule_search_locations
    for path in pathlib.Path(root, "layers").rglob("[!_]*.py"):
        if path.stem.replace("_", "") == plain.replace("_", ""):
            for node in ast.parse(path.read_text("utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


def same_problems(pairs):
    """Returns which problems are the same function as an earlier one.

    Labels are compared on vectors drawn for the purpose.

    Args:
        pairs: List of pairs of task and inputs.

    Returns:
        Dictionary from a pair to the first pair that has the same labels, or
        to the first whose labels are the complement, and whether it is that.
    """
    first, same = {}, {}
    for task, inputs in pairs:
        label = _sample_labels(task, inputs)
        if label is None:
            continue
        for other in (label, 1 - label):
            key = inputs, other.shape, other.tobytes()
            if key in first:
                same[task, inputs] = first[key], other is not label
                break
        else:
            first[inputs, label.shape, label.tobytes()] = task, inputs
    return same


def _sample_labels(task, inputs, records=1000, width=8):
    if task not in tasks.OPERATIONS or inputs not in tasks.INPUTS:
        return None
    distribution = tasks.INPUTS[inputs]
    rng = np.random.default_rng(0)
    a, b = (distribution.draw(rng, records, width) for _ in range(2))
    if distribution.unpack is not None:
        a, b = (distribution.unpack(each, width) for each in (a, b))
    return tasks.OPERATIONS[task].label(a, b)
