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

    def member_step(carry, label, x, y):
        return step(carry, x, y[label][0])

    # Keras's regularizers add in place, which cannot be mapped over members
    # unless it is made functional.
    members_step = torch.func.vmap(
        torch.func.functionalize(member_step), in_dims=(0, 0, None, None)
    )
    graphs = {}

    def traced(carry, label, x, y):
        """Returns a step's tensor operations, from flat tensors to flat ones.

        A step goes through some hundred calls of Keras for each of the few
        tensor operations it comes down to. They are recorded once for all
        arguments of the same shapes, and run alone from then on.
        """
        tensors = keras.tree.flatten((carry, label, x, y))
        shapes = tuple((each.shape, each.dtype) for each in tensors)
        if shapes not in graphs:

            def flat_step(*tensors):
                arguments = keras.tree.pack_sequence_as(
                    (carry, label, x, y), list(tensors)
                )
                return keras.tree.flatten(members_step(*arguments))

            graphs[shapes] = make_fx(flat_step)(*tensors)
        return graphs[shapes]

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
        first = tree.map_structure(lambda each: each[0], xs)
        graph = traced(carry, labels, first, ys[:, 0])
        flat, flat_xs = tree.flatten(carry), tree.flatten(xs)
        with torch.no_grad():
            for index in range(steps):
                x = [each[index] for each in flat_xs]
                *flat, output = graph(*flat, labels, *x, ys[:, index])
                outputs[kept, index] = output.to(outputs.dtype)
        carry = tree.pack_sequence_as(carry, flat)
        carries = tree.map_structure(
            lambda old, new: old.index_copy(0, kept, new), carries, carry
        )
        return carries, outputs

    return chunk


def is_accelerated():
    return torch.cuda.is_available()


def accelerator_name():
    return torch.cuda.get_device_name() if is_accelerated() else None


def use_one_thread():
    # It has counted the processors already. Two threads on one processor spend
    # their time waiting for each other.
    torch.set_num_threads(1)


def is_out_of_memory(error):
    return isinstance(error, torch.OutOfMemoryError)
