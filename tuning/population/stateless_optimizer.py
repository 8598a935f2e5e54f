import keras

UNSUPPORTED = (
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "gradient_accumulation_steps",
    "loss_scale_factor",
    "use_ema",
    "weight_decay",
)
# Nadam keeps a product of its momenta that no single variable's update has.
MORE_THAN_UPDATE_STEP = (
    keras.optimizers.LossScaleOptimizer,
    keras.optimizers.Nadam,
    keras.optimizers.Optimizer,
)


def stateless_optimizer(optimizer, variables):
    """Returns a function that applies gradients without changing anything.

    `Optimizer.stateless_apply` does this on JAX alone: TensorFlow refuses it,
    and on torch the fused updates cannot be mapped over members. What all
    backends share is `update_step`, the update of one variable, so that is
    what is used, on a copy of the optimizer.

    Args:
        optimizer: A Keras optimizer that updates each variable by its own
            gradient alone: no clipping, weight decay, averaging, gradient
            accumulation or loss scaling.
        variables: The trainable `keras.Variable`s, in the gradients' order.

    Returns:
        The copy, which owns one set of optimizer variables, and a function
        `(optimizer_values, gradients, values) → (values, optimizer_values)`.

    Raises:
        ValueError: The optimizer does more than `update_step`.
    """
    for name in UNSUPPORTED:
        value = getattr(optimizer, name, None)
        if value:
            raise ValueError(
                "The optimizer of a population's member should update each "
                f"variable by its gradient alone. Received: {name}={value!r}"
            )
    # On torch an optimizer is of a class derived from the public one.
    public = next(
        (
            each
            for each in type(optimizer).__mro__
            if getattr(keras.optimizers, each.__name__, None) is each
        ),
        None,
    )
    is_own = type(optimizer).__module__.partition(".")[0] != "keras"
    if public is None or is_own or public in MORE_THAN_UPDATE_STEP:
        raise ValueError(
            "The optimizer of a population's member should be one of "
            "`keras.optimizers`, other than Nadam and LossScaleOptimizer. "
            f"Received: optimizer={optimizer!r}"
        )

    class Stateless(public):
        # TensorFlow's optimizers assign to, and look up, the tf.Variable
        # behind a Keras variable, which there is none of in a stateless
        # scope. `_var_key` is private, and has no public counterpart.
        def assign(self, variable, value):
            variable.assign(value)

        def assign_add(self, variable, value):
            variable.assign(variable.value + value)

        def assign_sub(self, variable, value):
            variable.assign(variable.value - value)

        def _var_key(self, variable):
            return id(variable)

    copy = Stateless.from_config(optimizer.get_config())
    copy.build(variables)
    owned = list(copy.variables)
    if keras.config.backend() == "torch" and public is keras.optimizers.Adam:
        fused = _fused_adam(copy, variables)
        if fused is not None:
            return copy, fused

    def apply(optimizer_values, gradients, values):
        mapping = [
            *zip(variables, values, strict=True),
            *zip(owned, optimizer_values, strict=True),
        ]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            rate = copy.learning_rate
            for variable, gradient in zip(variables, gradients, strict=True):
                copy.update_step(gradient, variable, rate)
                if variable.constraint is not None:
                    variable.assign(variable.constraint(variable))
            copy.iterations.assign(copy.iterations.value + 1)
        return (
            [scope.get_current_value(each) for each in variables],
            [scope.get_current_value(each) for each in owned],
        )

    return copy, apply


def _fused_adam(optimizer, variables):
    """Returns the same for Adam on torch in a single pass, where it can."""
    from tuning.population.loops.torch_adam import adam_step

    config = optimizer.get_config()
    kinds = [each.name.rsplit("_", 1)[-1] for each in optimizer.variables[2:]]
    if config["amsgrad"] or kinds != ["momentum", "velocity"] * len(variables):
        return None
    if any(each.constraint is not None for each in variables):
        return None

    def apply(optimizer_values, gradients, values):
        iterations, rate, *slots = optimizer_values
        iterations = iterations + 1
        values, momentums, velocities = adam_step(
            values,
            gradients,
            slots[0::2],
            slots[1::2],
            rate,
            iterations,
            config,
        )
        slots[0::2], slots[1::2] = momentums, velocities
        return values, [iterations, rate, *slots]

    return apply
