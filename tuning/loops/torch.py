import keras
import torch
from torch.fx.experimental.proxy_tensor import make_fx


def value_and_grad(function):
    with_grad = torch.func.grad_and_value(function, has_aux=True)

    def call(*arguments):
        gradients, value = with_grad(*arguments)
        return value, gradients

    return call


def fold(step, vectorize):
    # The loop stays in Python here, so members always take a step together:
    # one after the other, each would pay for the Python.
    del vectorize
    members_step = torch.func.vmap(
        lambda carry, label, x, y: step(carry, x, y[label][0]),
        in_dims=(0, 0, None, None),
    )
    traced_step = _traced(members_step)

    def chunk(carries, active, labels, xs, ys):
        tree = keras.tree
        carries = tree.map_structure(lambda each: each.detach(), carries)
        device = tree.flatten(carries)[0].device
        xs, ys = tree.map_structure(
            lambda each: torch.as_tensor(each, device=device), (xs, list(ys))
        )
        ys = torch.stack(ys)
        kept = torch.as_tensor(active, device=device).nonzero()[:, 0]
        labels = torch.as_tensor(labels, device=device)[kept, None]
        steps = ys.shape[1]
        outputs = torch.full((len(active), steps), float("nan"), device=device)
        if len(kept) == 0:
            return carries, outputs
        carry = tree.map_structure(lambda each: each[kept], carries)
        for index in range(steps):
            x = tree.map_structure(lambda each, index=index: each[index], xs)
            carry, output = traced_step(carry, labels, x, ys[:, index])
            outputs[kept, index] = output.to(outputs.dtype)
        carries = tree.map_structure(
            lambda old, new: old.index_copy(0, kept, new), carries, carry
        )
        return carries, outputs

    return chunk


def _traced(function):
    """Returns a function that runs only the tensor operations of another.

    A step goes through some hundred calls of Keras for each of the few tensor
    operations it comes down to. They are recorded the first time, for each
    shape of the arguments, and run alone from then on.
    """
    flatten, pack = keras.tree.flatten, keras.tree.pack_sequence_as

    traced = {}

    def call(*arguments):
        tensors = flatten(arguments)
        shapes = tuple((each.shape, each.dtype) for each in tensors)
        graph, result = traced.get(shapes, (None, None))
        if graph is None:
            recorded = []

            def flat(*tensors):
                result = function(*pack(arguments, list(tensors)))
                recorded.append(result)
                return flatten(result)

            graph = make_fx(flat)(*tensors)
            result = keras.tree.map_structure(lambda _: 0, recorded[0])
            traced[shapes] = graph, result
        with torch.no_grad():
            return pack(result, graph(*tensors))

    return call


def is_accelerated():
    return torch.cuda.is_available()


def accelerator_name():
    return torch.cuda.get_device_name() if is_accelerated() else None


def is_out_of_memory(error):
    return isinstance(error, torch.OutOfMemoryError)
