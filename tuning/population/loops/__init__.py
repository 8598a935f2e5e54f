"""The training loop of a population, once per backend.

Keras's own `fit` runs one Python step per batch. A step of a tiny model takes
a tenth of a millisecond of arithmetic, and that much Python costs more. So the
loop over the steps, and over the members, runs inside the backend's compiled
program. Each module here holds the differences of a backend, and nothing
else:

- `value_and_grad(function)`: called as `(variables, *arguments)`, gives
  `((value, auxiliary), gradients)` of a function that returns
  `(value, auxiliary)`;
- `fold(step, vectorize)`: compiles a loop that carries every member's state
  through the batches;
- `is_accelerated()`: whether the default device is not a CPU, and
  `accelerator_name()`: its name, None for a CPU;
- `most_threads()`: how many populations to train at a time, at most, each in
  a thread of its own;
- `pays_off(members, steps)`: whether that many members, which take that many
  steps each, are trained sooner together than by Keras's `fit`;
- `use_one_thread()`: what a process needs to be told that is pinned to one
  processor after the backend was imported;
- `keep_programs(directory)`, of JAX alone: keeps compiled programs between
  processes;
- `is_out_of_memory(error)`: whether an exception says that the device's
  memory was too small.

A compiled fold is called as `(carries, active, labels, xs, ys)`:

- `carries`: nested tensors of shape `(members, ...)`;
- `active`: `(members,)`, false for members to be left as they are;
- `labels`: `(members,)`, which of the label arrays each member learns;
- `xs`: nested arrays of shape `(steps, batch, ...)`;
- `ys`: list of arrays of shape `(steps, batch, ...)`.

It returns the carries and the steps' outputs, `(members, steps)`, which are
NaN for inactive members. Every member passes through the same program as if
it were alone, so its numbers do not depend on its company. With
`vectorize=False` the members run one after the other, each over all the steps:
on a CPU its state then stays in the cache. With `vectorize=True` all of them
take each step together, which fills a GPU.
"""

import importlib

import keras


def backend_loops():
    """Returns the module of the running backend."""
    return importlib.import_module(f"{__name__}.{keras.config.backend()}")
