"""A Keras optimizer as a function, to be mapped over members."""

import keras
from keras import ops

# They do more than update variable by variable, and compute on more than the
# optimizer's variables.
NOT_BY_VARIABLE = (
    keras.optimizers.LossScaleOptimizer,
    keras.optimizers.Nadam,
    keras.optimizers.Optimizer,
)
# The variable that a schedule starts from.
FIRST_RATE = "initial_learning_rate"
EXTRAS = (
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "gradient_accumulation_steps",
    "loss_scale_factor",
    "use_ema",
    "weight_decay",
)


def check_optimizer(optimizer):
    """Raises a `ValueError` for what `stateless_optimizer` cannot copy."""
    # These stand in no configuration, and nothing public tells of them.
    if getattr(optimizer, "_exclude_from_weight_decay", None) or getattr(
        optimizer, "_exclude_from_weight_decay_pattern", None
    ):
        raise ValueError(
            "The optimizer of a population's member should apply weight decay "
            "to all variables. Received: one told to exclude some"
        )
    is_jax = keras.config.backend() == "jax"
    if not (is_jax or _updates_by_variable(optimizer)):
        raise ValueError(
            "The optimizer of a population's member should be one of "
            "`keras.optimizers`, other than Nadam and LossScaleOptimizer. "
            f"Received: optimizer={optimizer!r}"
        )


def starts_a_schedule(config):
    """Whether an optimizer's rate is a schedule of Keras's with a first rate.

    Args:
        config: The optimizer's configuration.
    """
    rate = config.get("learning_rate")
    return (
        isinstance(rate, dict)
        and str(rate.get("module")).partition(".")[0] == "keras"
        and FIRST_RATE in rate["config"]
    )


def first_rate(optimizer):
    """Returns the rate that an optimizer's schedule starts from."""
    rate = optimizer.get_config()["learning_rate"]
    return rate["config"][FIRST_RATE]


def _updates_by_variable(optimizer):
    is_own = type(optimizer).__module__.partition(".")[0] != "keras"
    public = _public_class(optimizer)
    return not (is_own or public is None or public in NOT_BY_VARIABLE)


def _public_class(optimizer):
    """On torch an optimizer is of a class derived from the public one."""
    for each in type(optimizer).__mro__:
        if getattr(keras.optimizers, each.__name__, None) is each:
            return each
    return None


def stateless_optimizer(optimizer, variables):
    """Returns a function that applies gradients without changing anything.

    `Optimizer.stateless_apply` does this on JAX alone: TensorFlow refuses it,
    and on torch the fused updates cannot be mapped over members. What all
    backends share is `update_step`, the update of one variable, so that is
    what is used there, on a copy of the optimizer, between the steps that
    Keras takes before and after it.

    Args:
        optimizer: A Keras optimizer; outside of JAX one of `keras.optimizers`
            that updates each variable by itself.
        variables: The trainable `keras.Variable`s, in the gradients' order.

    Returns:
        The copy, which owns one set of optimizer variables, and a function
        `(optimizer_values, gradients, values) → (values, optimizer_values)`.

    Raises:
        ValueError: The optimizer does more than that.
    """
    check_optimizer(optimizer)
    public = _public_class(optimizer)
    extras = any(getattr(optimizer, name, None) for name in EXTRAS)
    if keras.config.backend() == "jax" and (
        extras or not _updates_by_variable(optimizer)
    ):
        copy = _copy(type(optimizer), optimizer, variables)
        return copy, lambda owned, gradients, values: copy.stateless_apply(
            owned, gradients, values
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

    copy = _copy(Stateless, optimizer, variables)
    is_adam = keras.config.backend() == "torch" and (
        public is keras.optimizers.Adam
    )
    has_rate = any(each.name == "learning_rate" for each in copy.variables)
    if is_adam and has_rate and not extras:
        fused = _fused_adam(copy, variables)
        if fused is not None:
            return copy, fused
    return copy, _by_variable(copy, variables)


def _copy(kind, optimizer, variables):
    """Returns a built copy, whose schedule starts from a variable, its last."""
    config = optimizer.get_config()
    schedule = None
    if starts_a_schedule(config):
        schedule = keras.optimizers.schedules.deserialize(
            config["learning_rate"]
        )
        config["learning_rate"] = schedule
    copy = kind.from_config(config)
    copy.build(variables)
    if schedule is not None:
        first = copy.add_variable((), name=FIRST_RATE, dtype="float32")
        first.assign(schedule.initial_learning_rate)
        schedule.initial_learning_rate = first
    return copy


def _by_variable(copy, variables):
    """Returns what `BaseOptimizer.apply` does, without conditions.

    Keras branches where gradients are accumulated, or averages taken over,
    which cannot be mapped over members: here both ways are computed.
    """
    owned = list(copy.variables)
    counter = next(each for each in owned if each.name == "iteration")
    every = copy.gradient_accumulation_steps
    # Their lists are private; in `variables` their order is not told.
    sums = copy._accumulated_gradients if every else []
    averages = copy._model_variables_moving_average if copy.use_ema else []

    def apply(optimizer_values, gradients, values):
        mapping = [
            *zip(variables, values, strict=True),
            *zip(owned, optimizer_values, strict=True),
        ]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            next_step = counter.value + 1
            # Where gradients are accumulated, it counts the updates alone.
            updates = ops.convert_to_tensor(copy.iterations)
            if copy.loss_scale_factor:
                gradients = [g / copy.loss_scale_factor for g in gradients]
            if every:
                gradients = [
                    gradient + total.value
                    for gradient, total in zip(gradients, sums, strict=True)
                ]
                update([each / every for each in gradients])
                is_due = ops.equal(next_step % every, 0)
                for variable, value in mapping:
                    now = scope.get_current_value(variable)
                    variable.assign(ops.where(is_due, now, value))
                for total, value in zip(sums, gradients, strict=True):
                    total.assign(ops.where(is_due, 0.0 * value, value))
            else:
                update(gradients)
            if averages:
                momentum = copy.ema_momentum * ops.cast(
                    updates > 0, averages[0].dtype
                )
                for variable, average in zip(variables, averages, strict=True):
                    average.assign(
                        momentum * average.value
                        + (1 - momentum) * variable.value
                    )
                    if copy.ema_overwrite_frequency:
                        is_due = ops.equal(
                            (updates + 1) % copy.ema_overwrite_frequency, 0
                        )
                        variable.assign(
                            ops.where(is_due, average.value, variable.value)
                        )
            for variable in variables:
                if variable.constraint is not None:
                    variable.assign(variable.constraint(variable))
            counter.assign(next_step)
        return (
            [scope.get_current_value(each) for each in variables],
            [scope.get_current_value(each) for each in owned],
        )

    def update(gradients):
        rate = copy.learning_rate
        # Pure functions of tensors, without a public name.
        gradients = copy._clip_gradients(gradients)
        for variable, gradient in zip(variables, gradients, strict=True):
            if copy.weight_decay:
                variable.assign(
                    variable.value - variable.value * copy.weight_decay * rate
                )
            copy.update_step(gradient, variable, rate)

    return apply


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
