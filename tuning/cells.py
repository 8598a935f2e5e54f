"""What is searched: every combination of task, inputs and network."""

import dataclasses
import difflib
import itertools

import tasks
from tuning.networks import ACTIVATIONS
from tuning.networks import find_network


@dataclasses.dataclass(frozen=True, order=True)
class Cell:
    """One row of the results: a network of one depth on one task."""

    task: str
    inputs: str
    network: str
    depth: int
    activation: str
    seed: int

    @classmethod
    def of_row(cls, row):
        """Returns the cell of a row of the results, or of the trials."""
        return cls(
            row["task"],
            row["inputs"],
            row["network"],
            int(row["depth"]),
            row["activation"],
            int(row["seed"]),
        )

    def row(self):
        return dataclasses.asdict(self)


def check_known(option, values, known):
    """Raises a `ValueError` that names the nearest of what is known."""
    for value in values:
        if value not in known:
            near = difflib.get_close_matches(str(value), map(str, known))
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise ValueError(
                f"Unknown {option}: {value!r}.{hint} "
                f"Known: {', '.join(map(str, known))}."
            )


def select_cells(
    task_names, inputs_names, networks, activations, depths, seeds
):
    """Returns the cells that exist among all combinations.

    A network has the depths and activations that its class lists; all others
    asked for are passed over. So are pairs of task and inputs without a
    meaning, where all tasks or all inputs were asked for.

    Args:
        task_names: Names of operations, or `["all"]`.
        inputs_names: Names of input distributions, or `["all"]`.
        networks: Names as `find_network` takes them.
        activations: Names of activations.
        depths: Integers, or `None` for all that a network has.
        seeds: Integers.

    Raises:
        ValueError: A name is unknown, a pair that was named has no meaning,
            or no cell is left.
    """
    check_known("task", task_names, [*tasks.OPERATIONS, "all"])
    check_known("inputs", inputs_names, [*tasks.INPUTS, "all"])
    every_pair = "all" in task_names or "all" in inputs_names
    task_names = list(tasks.OPERATIONS) if "all" in task_names else task_names
    inputs_names = list(tasks.INPUTS) if "all" in inputs_names else inputs_names
    check_known("activation", activations, ACTIVATIONS)
    pairs = []
    for task, inputs in itertools.product(task_names, inputs_names):
        if (task, inputs) in tasks.PAIRS:
            pairs.append((task, inputs))
        elif not every_pair:
            tasks.check_pair(task, inputs)
    if not pairs:
        tasks.check_pair(task_names[0], inputs_names[0])
    variants = []
    for name in networks:
        network = find_network(name)
        known_depths = getattr(network, "depths", (1,))
        known_activations = getattr(network, "activations", ("linear",))
        variants += [
            (name, depth, activation)
            for activation in activations
            if activation in known_activations
            for depth in known_depths
            if depths is None or depth in depths
        ]
    if not variants:
        raise ValueError(
            f"None of the networks {', '.join(networks)} has one of the depths "
            f"{depths} with one of the activations {', '.join(activations)}."
        )
    return [
        Cell(task, inputs, *variant, seed)
        for task, inputs in pairs
        for variant in variants
        for seed in seeds
    ]
