import tensorflow as tf

from tuning.population.processors import processors


def value_and_grad(function):
    def call(variables, *arguments):
        with tf.GradientTape() as tape:
            tape.watch(variables)
            value, auxiliary = function(variables, *arguments)
        gradients = tape.gradient(
            value, variables, unconnected_gradients="zero"
        )
        return (value, auxiliary), gradients

    return call


def fold(step, vectorize):
    def run(carry, batch, steps):
        def body(index, carry, outputs):
            carry, output = step(carry, *batch(index))
            return index + 1, carry, outputs.write(index, output)

        _, carry, outputs = tf.while_loop(
            lambda index, carry, outputs: index < steps,
            body,
            (0, carry, tf.TensorArray(tf.float32, steps)),
            maximum_iterations=steps,
        )
        return carry, outputs.stack()

    def one_after_another(carries, active, labels, xs, ys):
        steps = tf.nest.flatten(xs)[0].shape[0]

        def member(arguments):
            carry, is_active, label = arguments

            def batch(index):
                return (
                    tf.nest.map_structure(lambda each: each[index], xs),
                    ys[label, index],
                )

            return tf.cond(
                is_active,
                lambda: run(carry, batch, steps),
                lambda: (carry, tf.fill([steps], float("nan"))),
            )

        signature = tf.nest.map_structure(
            lambda each: tf.TensorSpec(each.shape[1:], each.dtype), carries
        )
        return tf.map_fn(
            member,
            (carries, active, labels),
            fn_output_signature=(signature, tf.TensorSpec([steps])),
            parallel_iterations=1,
        )

    def together(carries, active, labels, xs, ys):
        steps = tf.nest.flatten(xs)[0].shape[0]

        def all_step(carry, x, y):
            def member(arguments):
                carry, is_active, label = arguments
                stepped, output = step(carry, x, y[label])
                kept = tf.nest.map_structure(
                    lambda new, old: tf.where(is_active, new, old),
                    stepped,
                    carry,
                )
                return kept, tf.where(is_active, output, float("nan"))

            return tf.vectorized_map(member, (carry, active, labels))

        def body(index, carry, outputs):
            x = tf.nest.map_structure(lambda each: each[index], xs)
            carry, output = all_step(carry, x, ys[:, index])
            return index + 1, carry, outputs.write(index, output)

        _, carries, outputs = tf.while_loop(
            lambda index, carry, outputs: index < steps,
            body,
            (0, carries, tf.TensorArray(tf.float32, steps)),
            maximum_iterations=steps,
        )
        return carries, tf.transpose(outputs.stack())

    loop = together if vectorize else one_after_another

    def chunk(carries, active, labels, xs, ys):
        return loop(carries, active, labels, xs, tf.stack(ys))

    program = None

    def call(*arguments):
        nonlocal program
        arguments = tf.nest.map_structure(tf.convert_to_tensor, arguments)
        if program is None:
            slow = not (vectorize or is_accelerated())
            slow = slow and _has_convolution(step, *arguments)
            program = tf.function(chunk, jit_compile=not slow, autograph=False)
        return program(*arguments)

    return call


def _has_convolution(step, carries, active, labels, xs, ys):
    """Whether a step has a convolution.

    On a CPU XLA computes convolutions that stand in a loop by plain nested
    loops, which takes 10 to 20 times as long as TensorFlow's own operation.
    """
    example = tf.nest.map_structure(
        lambda each: tf.TensorSpec(each.shape[1:], each.dtype),
        (carries, xs, ys[0]),
    )
    traced = tf.function(step, autograph=False).get_concrete_function(*example)
    kinds = {operation.type for operation in traced.graph.get_operations()}
    return any(kind.startswith(("Conv", "DepthwiseConv")) for kind in kinds)


def is_accelerated():
    return bool(tf.config.list_physical_devices("GPU"))


def accelerator_name():
    devices = tf.config.list_physical_devices("GPU")
    if not devices:
        return None
    details = tf.config.experimental.get_device_details(devices[0])
    return details.get("device_name", "GPU")


def most_threads():
    return 1 if is_accelerated() else len(processors())


def pays_off(members, steps):
    # A loop takes longer to compile than two single steps.
    return members > (2 if steps <= 256 else 1)


def use_one_thread():
    """Nothing: TensorFlow counts the processors when it first runs."""


def is_out_of_memory(error):
    return isinstance(error, tf.errors.ResourceExhaustedError)
