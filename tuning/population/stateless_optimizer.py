"""A Keras optimizer as a function, to be mapped over members."""

import keras
from keras import ops

from tuning.population.schedules import NUMBER
from tuning.population.schedules import schedule_in
from tuning.population.schedules import use_variables

# The variable of Nadam's that is not among its `variables`.
PRODUCT = "momentum_product"
# Variables of a population's optimizer that a member's own does not list.
HIDDEN = (NUMBER, PRODUCT)
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
    if _scales_loss(optimizer):
        inner = optimizer.inner_optimizer
        check_optimizer(inner)
        if isinstance(inner, keras.optimizers.Nadam):
            # It comes to other numbers than Keras's does there.
            raise ValueError(
                "The optimizer of a population's member should not scale the "
                f"loss around Nadam. Received: optimizer={optimizer!r}"
            )
    elif keras.config.backend() != "jax" and _is_own(optimizer):
        raise ValueError(
            "The optimizer of a population's member should be one of "
            f"`keras.optimizers`. Received: optimizer={optimizer!r}"
        )


def _scales_loss(optimizer):
    return type(optimizer) is keras.optimizers.LossScaleOptimizer


def _is_own(optimizer):
    """Whether it may do more than update variable by variable."""
    module = type(optimizer).__module__.partition(".")[0]
    is_base = _public_class(optimizer) in (None, keras.optimizers.Optimizer)
    return module != "keras" or is_base


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
        optimizer: A Keras optimizer; outside of JAX one of
            `keras.optimizers`.
        variables: The trainable `keras.Variable`s, in the gradients' order.

    Returns:
        The copy, which owns one set of optimizer variables, and a function
        `(optimizer_values, gradients, values) → (values, optimizer_values)`.

    Raises:
        ValueError: The optimizer does more than that.
    """
    check_optimizer(optimizer)
    if _scales_loss(optimizer):
        return _with_scaled_loss(optimizer, variables)
    public = _public_class(optimizer)
    extras = any(getattr(optimizer, name, None) for name in EXTRAS)
    if keras.config.backend() == "jax" and (
        extras or _is_own(optimizer) or public is keras.optimizers.Nadam
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
    """Returns a built copy; what Keras keeps outside of `variables` is last."""
    config = optimizer.get_config()
    schedule = schedule_in(config)
    if schedule is not None:
        config["learning_rate"] = schedule
    copy = kind.from_config(config)
    copy.build(variables)
    if schedule is not None:

        def add_variable(value):
            variable = copy.add_variable((), name=NUMBER, dtype="float32")
            variable.assign(value)
            return variable

        use_variables(schedule, add_variable)
    if kind is not type(optimizer) and isinstance(copy, keras.optimizers.Nadam):
        copy._u_product = copy.add_variable(
            (), "ones", copy._u_product.dtype, name=PRODUCT
        )
    return copy


def _with_scaled_loss(optimizer, variables):
    """Returns the same for an optimizer around another, without conditions."""
    inner, apply_inner = stateless_optimizer(
        optimizer.inner_optimizer, variables
    )
    copy = keras.optimizers.LossScaleOptimizer(
        inner, optimizer.initial_scale, optimizer.dynamic_growth_steps
    )
    copy.build(variables)
    if keras.config.backend() == "jax":
        return copy, copy.stateless_apply
    count = len(copy.variables) - len(inner.variables)
    owned = copy.variables[:count]

    def apply(optimizer_values, gradients, values):
        inner_values = optimizer_values[count:]
        mapping = list(zip(owned, optimizer_values, strict=False))
        with keras.StatelessScope(state_mapping=mapping) as scope:
            scale = copy.dynamic_scale.value
            is_finite = ops.all(
                ops.stack([ops.all(ops.isfinite(each)) for each in gradients])
            )
            count_now = copy.step_counter.value + 1
            is_due = ops.equal(count_now, copy.dynamic_growth_steps)
            copy.step_counter.assign(
                ops.where(
                    ops.logical_and(is_finite, ops.logical_not(is_due)),
                    count_now,
                    ops.zeros_like(count_now),
                )
            )
            growth = ops.where(is_due, 2.0, 1.0)
            copy.dynamic_scale.assign(scale * ops.where(is_finite, growth, 0.5))
        stepped = apply_inner(
            inner_values, [each / scale for each in gradients], values
        )
        values, inner_values = (
            [
                ops.where(is_finite, new, old)
                for new, old in zip(*pair, strict=True)
            ]
            for pair in zip(stepped, (values, inner_values), strict=True)
        )
        owned_values = [scope.get_current_value(each) for each in owned]
        return values, [*owned_values, *inner_values]

    return copy, apply


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
        if isinstance(copy, keras.optimizers.Nadam):
            product = copy._u_product
            step = ops.cast(copy.iterations + 1, product.dtype)
            product.assign(
                product * copy.beta_1 * (1 - 0.5 * ops.power(0.96, step))
            )
        for variable, gradient in zip(variables, gradients, strict=True):
            if decay := _weight_decay(copy, variable):
                variable.assign(variable.value - variable.value * decay * rate)
            copy.update_step(gradient, variable, rate)

    return apply


def _weight_decay(optimizer, variable):
    # Muon's own choice; it has no public name.
    if isinstance(optimizer, keras.optimizers.Muon) and (
        optimizer._should_use_adamw(variable)
    ):
        return optimizer.adam_weight_decay
    return optimizer.weight_decay


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
