"""What is searched: every combination of task, inputs and network."""

import difflib
import itertools
import math

import tasks
from tuning.networks.network import ACTIVATIONS
from tuning.networks.registry import NETWORKS
from tuning.networks.registry import find_network
from tuning.problems.problem import GROUPS
from tuning.problems.problem import find_problem
from tuning.study.rows import Cell

DEFAULT_INPUTS = "many_hot"
_KINDS = {1: "vectors", 3: "images"}


def choices_of(cell):
    """Returns what a cell's network searches beside the learning rate."""
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
    asked for are passed over. So are pairs of task and inputs without a
    meaning, where all tasks or all inputs were asked for.

    Args:
        task_names: Names of tasks as `find_problem` takes them, or of groups:
            `"all"` of the reasoning operations, `"arithmetic_ops"`.
        inputs_names: Names of the inputs' distributions, or `["all"]`; or
            None for `"many_hot"`, or the one that a task has.
        networks: Names as `find_network` takes them, or `"all"` that are
            searched by default.
        activations: Names of activations, or `"all"`.
        depths: Integers, or `"all"`.
        seeds: Integers.

    Raises:
        ValueError: A name is unknown, what was named does not go together,
            or no cell is left.
    """
    pairs = _pairs(task_names, inputs_names)
    ranks = {find_problem(task).input_rank for task, _ in pairs}
    classes = _networks(networks, ranks)
    _check_known("activation", activations, [*ACTIVATIONS, "all"])
    known = [*classes.values(), *NETWORKS.values()]
    known_depths = {depth for network in known for depth in _depths(network)}
    _check_known("depth", depths, [*sorted(known_depths), "all"])
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


def _pairs(task_names, inputs_names):
    """Returns the pairs of task and inputs that have a meaning."""
    names = [task for name in task_names for task in GROUPS.get(name, (name,))]
    possible = {task: find_problem(task).inputs_of(task) for task in names}
    wanted = [DEFAULT_INPUTS] if inputs_names is None else inputs_names
    known = [*tasks.INPUTS, *itertools.chain(*possible.values())]
    _check_known("inputs", wanted, [*dict.fromkeys(known), "all"])
    pairs = []
    for task, mine in possible.items():
        is_operation = task in tasks.OPERATIONS
        if "all" in wanted or (inputs_names is None and not is_operation):
            pairs += [(task, inputs) for inputs in mine]
            continue
        for inputs in wanted:
            if inputs in mine:
                pairs.append((task, inputs))
            elif not is_operation:
                raise ValueError(
                    f"{task} has the inputs {', '.join(mine)} alone. Received: "
                    f"inputs={inputs}"
                )
            elif "all" not in task_names:
                tasks.check_pair(task, inputs)
    if not pairs:
        tasks.check_pair(names[0], wanted[0])
    return pairs


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


def _check_known(option, values, known):
    """Raises a `ValueError` that names the nearest of what is known."""
    for value in values:
        if value not in known:
            near = difflib.get_close_matches(str(value), map(str, known))
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise ValueError(
                f"Unknown {option}: {value!r}.{hint} "
                f"Known: {', '.join(map(str, known))}."
            )
