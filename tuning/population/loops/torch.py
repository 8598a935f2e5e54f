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
    # The loop stays in Python here, so members take a step together wherever
    # they can: one after the other, each would pay for the Python.
    del vectorize

    def member_step(carry, label, x, y):
        return step(carry, x, y[label][0])

    # Together where that can be done: some operations, convolutions among
    # them, cannot be mapped over members. Keras's regularizers add in place,
    # which is mapped only if it is made functional; then again its `split` at
    # indices reads their values, which functional tensors do not show.
    ways = [
        (_Recorded(torch.func.vmap(each, in_dims=(0, 0, None, None))), True)
        for each in (torch.func.functionalize(member_step), member_step)
    ]
    ways += [(_Recorded(member_step), False)]

    def run(recorded, carry, labels, xs, ys):
        first = keras.tree.map_structure(lambda each: each[0], xs)
        graph = recorded.graph(carry, labels, first, ys[:, 0])
        flat, flat_xs = keras.tree.flatten(carry), keras.tree.flatten(xs)
        outputs = []
        with torch.no_grad():
            for index in range(ys.shape[1]):
                x = [each[index] for each in flat_xs]
                *flat, output = graph(*flat, labels, *x, ys[:, index])
                outputs.append(output)
        carry = keras.tree.pack_sequence_as(carry, flat)
        return carry, torch.stack(outputs, dim=-1)

    def run_members(carry, labels, xs, ys):
        while len(ways) > 1:
            try:
                return run_in_way(*ways[0], carry, labels, xs, ys)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError as error:
                # If it is the model's own, the last way raises it again.
                ways[:] = ways[-1 if "vmap" in str(error) else 1 :]
        return run_in_way(*ways[0], carry, labels, xs, ys)

    def run_in_way(recorded, together, carry, labels, xs, ys):
        if together:
            return run(recorded, carry, labels, xs, ys)
        members, outputs = [], []
        for i, label in enumerate(labels):
            mine = keras.tree.map_structure(lambda each, i=i: each[i], carry)
            mine, output = run(recorded, mine, label, xs, ys)
            members.append(mine)
            outputs.append(output)
        carry = keras.tree.map_structure(
            lambda *each: torch.stack(each), *members
        )
        return carry, torch.stack(outputs)

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
        outputs = torch.full(
            (len(active), ys.shape[1]), float("nan"), device=device
        )
        if len(kept) == 0:
            return carries, outputs
        carry = tree.map_structure(lambda each: each[kept], carries)
        carry, some = run_members(carry, labels, xs, ys)
        outputs[kept] = some.to(outputs.dtype)
        carries = tree.map_structure(
            lambda old, new: old.index_copy(0, kept, new), carries, carry
        )
        return carries, outputs

    return chunk


class _Recorded:
    """A step's tensor operations, from flat tensors to flat ones.

    A step goes through some hundred calls of Keras for each of the few tensor
    operations it comes down to. They are recorded once for all arguments of
    the same shapes, and run alone from then on.
    """

    def __init__(self, step):
        self._step = step
        self._graphs = {}

    def graph(self, *arguments):
        tensors = keras.tree.flatten(arguments)
        shapes = tuple((each.shape, each.dtype) for each in tensors)
        if shapes not in self._graphs:

            def flat_step(*tensors):
                return keras.tree.flatten(
                    self._step(
                        *keras.tree.pack_sequence_as(arguments, list(tensors))
                    )
                )

            self._graphs[shapes] = make_fx(flat_step)(*tensors)
        return self._graphs[shapes]


def is_accelerated():
    return torch.cuda.is_available()


def accelerator_name():
    return torch.cuda.get_device_name() if is_accelerated() else None


def most_threads():
    """One: recording a step patches what all threads share."""
    return 1


def pays_off(members, steps):
    del steps
    return members > 1


def use_one_thread():
    # It has counted the processors already. Two threads on one processor spend
    # their time waiting for each other.
    torch.set_num_threads(1)


def is_out_of_memory(error):
    return isinstance(error, torch.OutOfMemoryError)
