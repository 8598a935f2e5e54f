import jax
import jax.numpy as jnp
from jax import lax


def value_and_grad(function):
    return jax.value_and_grad(function, has_aux=True)


def fold(step, vectorize):
    def chunk(carries, active, labels, xs, ys):
        steps = jax.tree.leaves(xs)[0].shape[0]
        ys = jnp.stack(ys)

        def run(carry, label):
            def body(carry, index):
                x = jax.tree.map(lambda each: each[index], xs)
                return step(carry, x, ys[label, index])

            return lax.scan(body, carry, jnp.arange(steps))

        def skip(carry, label):
            return carry, jnp.full(steps, jnp.nan)

        def member(arguments):
            carry, is_active, label = arguments
            return lax.cond(is_active, run, skip, carry, label)

        arguments = (carries, active, labels)
        if vectorize:
            return jax.vmap(member)(arguments)
        return lax.map(member, arguments)

    compiled = jax.jit(chunk)
    step_by_step = _fold_step_by_step(step)
    chosen = None

    def program(*arguments):
        nonlocal chosen
        if chosen is None:
            slow = not (vectorize or is_accelerated())
            slow = slow and _has_convolution(step, *arguments)
            chosen = step_by_step if slow else compiled
        return chosen(*arguments)

    return program


def _has_convolution(step, carries, active, labels, xs, ys):
    """Whether a step has a convolution.

    On a CPU XLA computes convolutions that stand in a loop by plain nested
    loops, which takes 10 to 20 times as long as by its library.
    """
    example = jax.tree.map(
        lambda each: jax.ShapeDtypeStruct(each.shape[1:], each.dtype),
        (carries, xs, ys[0]),
    )
    return "conv_general_dilated" in str(jax.make_jaxpr(step)(*example))


def _fold_step_by_step(step):
    """The same, but for the loop over the steps, which is in Python."""
    compiled = jax.jit(step, donate_argnums=0)

    def take(tree, index):
        return jax.tree.map(lambda each: each[index], tree)

    def program(carries, active, labels, xs, ys):
        steps = jax.tree.leaves(xs)[0].shape[0]

        def run(member):
            carry, y = take(carries, member), ys[labels[member]]
            losses = []
            for index in range(steps if active[member] else 0):
                carry, loss = compiled(carry, take(xs, index), y[index])
                losses.append(loss)
            return carry, losses or [jnp.nan] * steps

        members, losses = zip(*map(run, range(len(labels))), strict=True)
        stacked = jax.tree.map(lambda *each: jnp.stack(each), *members)
        return stacked, jnp.array(losses)

    return program


def is_accelerated():
    return jax.default_backend() != "cpu"


def accelerator_name():
    return jax.devices()[0].device_kind if is_accelerated() else None


def use_one_thread():
    """Nothing: XLA counts the processors when it first runs."""


def is_out_of_memory(error):
    return isinstance(error, jax.errors.JaxRuntimeError) and (
        "RESOURCE_EXHAUSTED" in str(error)
    )
