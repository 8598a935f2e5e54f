"""The kinds of problems, and the task that a name stands for."""

import inspect

from tasks._validation import check_known
from tuning.names import import_named
from tuning.problems.arithmetic import ArithmeticProblem
from tuning.problems.images import ImageProblem
from tuning.problems.problem import Problem
from tuning.problems.reasoning import ReasoningProblem

# In the order in which they are listed, and asked for a task.
KINDS = (ReasoningProblem, ArithmeticProblem, ImageProblem)


def find_problem(task):
    """Returns the class of problems that a task belongs to.

    Args:
        task: Name of a reasoning operation, of an `arithmetic_ops/operation`,
            or of a TensorFlow dataset of labelled images; or
            `package.module:Name` for a subclass of `Problem` of your own.

    Raises:
        ValueError: There is no such task.
    """
    if ":" in task:
        return _find_own(task)
    for kind in KINDS:
        if kind.has(task):
            return kind
    return check_known(
        "task",
        task,
        [*task_names(), *groups()],
        ", every TensorFlow dataset of labelled images, or "
        "package.module:Name for one of your own",
    )


def _find_own(task):
    found = import_named("task", task)
    if not (inspect.isclass(found) and issubclass(found, Problem)):
        raise ValueError(
            f"The task {task!r} should be a subclass of "
            f"{Problem.__module__}.{Problem.__name__}. Received: {found!r}"
        )
    return found


def open_problem(task, inputs, data, tolerance):
    """Returns the `Problem` of a task on inputs."""
    return find_problem(task)(task, inputs, data, tolerance)


def task_names():
    """Returns the names of all tasks, in the order to show them in."""
    return [task for kind in KINDS for task in kind.task_names()]


def groups():
    """Returns the tasks that one name stands for, by name."""
    return {
        name: tasks for kind in KINDS for name, tasks in kind.groups().items()
    }


def inputs_names():
    """Returns the names of all inputs, in the order to show them in."""
    return list(
        dict.fromkeys(
            inputs
            for kind in KINDS
            for task in kind.task_names()
            for inputs in kind.inputs_of(task)
        )
    )


def inputs_of(task):
    """Returns the names of the inputs that a task can be learned on.

    There are none for a task of your own.
    """
    kind = _kind_of(task)
    return () if kind is None else kind.inputs_of(task)


def inputs_of_kind(task):
    """Returns the names of the inputs of all tasks of the same kind."""
    kind = _kind_of(task)
    names = () if kind is None else kind.task_names()
    return {inputs for name in names for inputs in kind.inputs_of(name)}


def _kind_of(task):
    return next((kind for kind in KINDS if task in kind.task_names()), None)
