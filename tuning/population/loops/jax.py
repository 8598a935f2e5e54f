import warnings

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tuning.population.processors import processors


def value_and_grad(function):
    return jax.value_and_grad(function, has_aux=True)


def fold(step, vectorize):
    if vectorize:
        return _fold_together(step)
    run = None

    def program(carries, active, labels, xs, ys):
        nonlocal run
        # NumPy takes the members apart and puts them together: JAX compiles a
        # program for each such operation on each shape.
        carries = jax.tree.map(np.asarray, carries)
        xs, ys = jax.device_put((xs, ys))
        if run is None:
            run = _in_one_call(step)
            if not is_accelerated() and _has_convolution(
                run.trace(_take(carries, 0), xs, ys[0])
            ):
                run = _step_by_step(step)
        idle = np.full(ys[0].shape[0], np.nan, "float32")
        # Members in a loop outside of the compiled one: so it is compiled once
        # for any number of them.
        members, outputs = [], []
        for member, label in enumerate(labels):
            carry, output = _take(carries, member), idle
            if active[member]:
                carry, output = run(carry, xs, ys[label])
            members.append(carry)
            outputs.append(output)
        stacked = jax.tree.map(lambda *each: np.stack(each), *members)
        return stacked, np.stack(outputs)

    return program


def _fold_together(step):
    @jax.jit
    def program(carries, active, labels, xs, ys):
        ys = jnp.stack(ys)

        def member(carry, is_active, label):
            def body(carry, index):
                stepped, output = step(
                    carry, _take(xs, index), ys[label, index]
                )
                kept = jax.tree.map(
                    lambda new, old: jnp.where(is_active, new, old),
                    stepped,
                    carry,
                )
                return kept, jnp.where(is_active, output, jnp.nan)

            return lax.scan(body, carry, jnp.arange(ys.shape[1]))

        return jax.vmap(member)(carries, active, labels)

    return program


def _in_one_call(step):
    return jax.jit(
        lambda carry, xs, ys: lax.scan(
            lambda carry, batch: step(carry, *batch), carry, (xs, ys)
        ),
        donate_argnums=0,
    )


def _step_by_step(step):
    compiled = jax.jit(step, donate_argnums=0)

    def run(carry, xs, ys):
        xs, ys = jax.tree.map(np.asarray, (xs, ys))
        outputs = []
        for index in range(ys.shape[0]):
            carry, output = compiled(carry, _take(xs, index), ys[index])
            outputs.append(output)
        return carry, np.stack(outputs)

    return run


def _has_convolution(traced):
    """Whether a program has a convolution.

    On a CPU XLA computes convolutions that stand in a loop by plain nested
    loops, which takes 10 to 20 times as long as by its library.
    """
    return "conv_general_dilated" in str(traced.jaxpr)


def _take(tree, index):
    return jax.tree.map(lambda each: each[index], tree)


def is_accelerated():
    return jax.default_backend() != "cpu"


def accelerator_name():
    return jax.devices()[0].device_kind if is_accelerated() else None


def most_threads():
    return 1 if is_accelerated() else len(processors())


def pays_off(members, steps):
    del steps
    return members > 1


def use_one_thread():
    """Nothing: XLA counts the processors when it first runs."""


def keep_programs(directory):
    jax.config.update("jax_compilation_cache_dir", str(directory))
    # The smallest as well: there are fifty of them.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    # One that another process is writing, or that a full disk cut off, is
    # compiled instead.
    warnings.filterwarnings(
        "ignore", "Error (reading|writing) persistent compilation cache"
    )


def is_out_of_memory(error):
    return isinstance(error, jax.errors.JaxRuntimeError) and (
        "RESOURCE_EXHAUSTED" in str(error)
    )
