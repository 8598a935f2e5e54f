"""The cells of a search: combinations of task, inputs and network."""

import math

from tasks._validation import check_known
from tuning.messages import one_line
from tuning.networks.network import ACTIVATIONS
from tuning.networks.registry import NETWORKS
from tuning.networks.registry import find_network
from tuning.problems import registry
from tuning.problems.registry import find_problem
from tuning.study.rows import Cell

LONGEST_NAME = 1_000
_KINDS = {1: "vectors", 3: "images"}


def choices_of(cell):
    """Returns a network's hyperparameters beside the learning rate."""
    return getattr(find_network(cell.network), "choices", {})


def count_trials(cell, protocol):
    """Returns how many trials a cell has under a `Protocol`."""
    return len(protocol.learning_rates) * math.prod(
        map(len, choices_of(cell).values())
    )


def count_steps(cell, protocol):
    """Returns the steps of its trials and training together, at most."""
    trials = count_trials(cell, protocol) * protocol.search_steps
    return trials + protocol.train_steps


def select_cells(
    task_names, inputs_names, networks, activations, depths, seeds
):
    """Returns the cells that exist among all combinations.

    A network has the depths and activations that its class lists; all others
    asked for are passed over. So are inputs that a task can't be learned on.

    Args:
        task_names: Names of tasks as `find_problem` takes them, or of groups:
            `"all"` reasoning operations, `"arithmetic_ops"`.
        inputs_names: Names of the inputs' distributions, or `["all"]`; or
            None for each task's default.
        networks: Names as `find_network` takes them, or `"all"` that are
            searched by default.
        activations: Names of activations, or `"all"`.
        depths: Integers, or `"all"`.
        seeds: Integers.

    Raises:
        ValueError: A name is unknown, or no cell is left.
    """
    task_names = [_name("task", each) for each in task_names]
    networks = [_name("network", each) for each in networks]
    pairs = _pairs(task_names, inputs_names)
    ranks = {find_problem(task).input_rank for task, _ in pairs}
    classes = _networks(networks, ranks)
    for activation in activations:
        check_known("activation", activation, [*ACTIVATIONS, "all"])
    known = [*classes.values(), *NETWORKS.values()]
    known_depths = {depth for network in known for depth in _depths(network)}
    for depth in depths:
        check_known("depth", depth, [*sorted(known_depths), "all"])
    cells = [
        Cell(task, inputs, name, depth, activation, seed)
        for task, inputs in pairs
        for name, network in classes.items()
        if _rank(network) == find_problem(task).input_rank
        for activation in getattr(network, "activations", ("linear",))
        if activation in activations or "all" in activations
        for depth in _depths(network)
        if depth in depths or "all" in depths
        for seed in seeds
    ]
    if not cells:
        raise ValueError(
            f"None of the networks {', '.join(networks)} has one of the depths "
            f"{', '.join(map(str, depths))} with one of the activations "
            f"{', '.join(activations)}."
        )
    return cells


def _name(kind, text):
    """Returns a name as a table holds it, so that it is known again there."""
    name = " ".join(text.split())
    if not name.isprintable() or len(name) > LONGEST_NAME:
        raise ValueError(
            f"The name of a {kind} should have up to {LONGEST_NAME:,} "
            f"characters that can be printed. Received: {one_line(ascii(name))}"
        )
    return name


def _pairs(task_names, inputs_names):
    """Returns the pairs of task and inputs that are asked for and exist."""
    groups = registry.groups()
    asked = [groups.get(name, (name,)) for name in task_names]
    known = [
        *registry.inputs_names(),
        *(
            inputs
            for tasks in asked
            for task in tasks
            for inputs in find_problem(task).inputs_of(task)
        ),
        "all",
    ]
    for inputs in inputs_names or ():
        check_known("inputs", inputs, dict.fromkeys(known))
    # Each once, however often it is asked for.
    pairs = dict.fromkeys(
        pair for tasks in asked for pair in _pairs_of(tasks, inputs_names)
    )
    if not pairs:
        task, inputs = asked[0][0], inputs_names[0]
        find_problem(task).check_inputs(task, inputs)
    return pairs


def _pairs_of(tasks, inputs_names):
    """Returns the pairs of some tasks that exist: of one, or of a group."""
    pairs = []
    for task in tasks:
        kind = find_problem(task)
        mine = kind.inputs_of(task)
        wanted = inputs_names
        if inputs_names is None:
            wanted = kind.default_inputs(task)
        elif "all" in inputs_names:
            wanted = mine
        pairs += [(task, inputs) for inputs in wanted if inputs in mine]
    return pairs


def passed_over(task_names, inputs_names):
    """Returns why inputs are passed over: a line for each task or group.

    Args:
        task_names, inputs_names: As for `select_cells`, which has taken them.
    """
    lines = []
    for name in task_names:
        tasks = registry.groups().get(name, (name,))
        for inputs in inputs_names or ():
            if inputs == "all" or _pairs_of(tasks, [inputs]):
                continue
            try:
                find_problem(tasks[0]).check_inputs(tasks[0], inputs)
            except ValueError as error:
                lines.append(f"Passed over: {error}")
    return lines


def _networks(names, ranks):
    """Returns the classes of networks by name."""
    classes = {}
    for name in names:
        if name == "all":
            classes |= {
                name: network
                for name, network in NETWORKS.items()
                if _rank(network) in ranks
            }
            continue
        classes[name] = find_network(name)
        if _rank(classes[name]) not in ranks:
            raise ValueError(
                f"The network {name} takes {_KINDS[_rank(classes[name])]}, and "
                f"no task that was named has these."
            )
    return classes


def _rank(network):
    return getattr(network, "input_rank", 1)


def _depths(network):
    return getattr(network, "depths", (1,))
