"""Learning-rate schedules of Keras's, with their numbers in variables.

So members share a program whose schedules differ in their numbers.
"""

import keras

# The name of such a variable.
NUMBER = "schedule_number"


def schedule_in(config):
    """Returns the schedule of Keras's in an optimizer's configuration.

    Args:
        config: The optimizer's configuration; of one that scales the loss, the
            optimizer's inside.

    Returns:
        The schedule, or None.
    """
    rate = _inner(config).get("learning_rate")
    if not isinstance(rate, dict):
        return None
    if str(rate.get("module")).partition(".")[0] != "keras":
        return None
    return keras.optimizers.schedules.deserialize(rate)


def numbers_of(schedule):
    """Returns the numbers, also in lists, that a schedule computes with.

    Returns:
        A dictionary of its attributes' names and a list of numbers for each.
    """
    numbers = {}
    for name, value in schedule.get_config().items():
        values = value if isinstance(value, (list, tuple)) else [value]
        # Some are kept under another name, and decide on the computation.
        if hasattr(schedule, name) and all(map(_is_number, values)):
            numbers[name] = list(values)
    return numbers


def schedule_numbers(config):
    """Returns the numbers of a configuration's schedule, in their order."""
    schedule = schedule_in(config)
    if schedule is None:
        return []
    return [each for some in numbers_of(schedule).values() for each in some]


def use_variables(schedule, add_variable):
    """Lets a schedule compute with variables in place of its numbers.

    Args:
        schedule: A schedule of Keras's.
        add_variable: Called with a number; returns a variable.
    """
    for name, values in numbers_of(schedule).items():
        variables = [add_variable(value) for value in values]
        is_list = isinstance(getattr(schedule, name), (list, tuple))
        setattr(schedule, name, variables if is_list else variables[0])


def with_numbers(config, numbers):
    """Returns the configuration of a schedule with other numbers.

    Args:
        config: An optimizer's configuration, with a schedule of Keras's.
        numbers: Iterable, in the order of `schedule_numbers`; None for each
            leaves them out.

    Returns:
        The schedule's own configuration.
    """
    schedule, numbers = schedule_in(config), iter(numbers)
    changed = dict(schedule.get_config())
    for name, values in numbers_of(schedule).items():
        values = [next(numbers) for _ in values]
        is_list = isinstance(changed[name], (list, tuple))
        changed[name] = values if is_list else values[0]
    return changed


def set_numbers(config, numbers):
    """Changes the numbers of the schedule in an optimizer's configuration."""
    _inner(config)["learning_rate"]["config"] = with_numbers(config, numbers)


def _inner(config):
    inner = config.get("inner_optimizer")
    return config if inner is None else inner["config"]


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)
