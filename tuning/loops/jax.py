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

    return jax.jit(chunk)


def is_accelerated():
    return jax.default_backend() != "cpu"


def accelerator_name():
    return jax.devices()[0].device_kind if is_accelerated() else None


def is_out_of_memory(error):
    return isinstance(error, jax.errors.JaxRuntimeError) and (
        "RESOURCE_EXHAUSTED" in str(error)
    )
