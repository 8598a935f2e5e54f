"""Every room imports from those below it, and none in a circle."""

import ast
import graphlib
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PACKAGES = ("kmul", "tasks", "tuning")
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(
        ".__init__"
    ): path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
}
# What each room may import of the three packages, beside itself.
ROOMS = {
    "kmul": (),
    "tasks": (),
    "tuning.arguments": ("tuning.messages",),
    "tuning.errors": ("tasks",),
    "tuning.messages": (),
    "tuning.names": ("tuning.messages",),
    "tuning.population": ("kmul._validation",),
    "tuning.tuner": ("kmul._validation", "tuning.population"),
    "tuning.problems": ("kmul", "tasks", "tuning.errors", "tuning.names"),
    "tuning.networks": (
        "kmul",
        "tasks._validation",
        "tuning.messages",
        "tuning.names",
    ),
    "tuning.study": (
        "kmul",
        "tasks",
        "tuning.errors",
        "tuning.messages",
        "tuning.networks",
        "tuning.population",
        "tuning.problems",
        "tuning.tuner",
    ),
    "tuning.reporting": ("tasks", "tuning.problems", "tuning.study"),
    "tuning.cards": (
        "kmul",
        "tasks",
        "tuning.errors",
        "tuning.networks",
        "tuning.population",
        "tuning.study",
    ),
    "tuning.card": (
        "tuning.cards",
        "tuning.errors",
        "tuning.search",
        "tuning.study",
    ),
    "tuning.search": (
        "tuning.arguments",
        "tuning.errors",
        "tuning.messages",
        "tuning.networks",
        "tuning.problems",
        "tuning.study",
    ),
    "tuning.merge": (
        "tuning.arguments",
        "tuning.errors",
        "tuning.messages",
        "tuning.study",
    ),
    "tuning.report": (
        "tasks",
        "tuning.errors",
        "tuning.problems",
        "tuning.reporting",
        "tuning.study",
    ),
}
# Keras and NumPy beside the standard library, and loops' own backends.
POPULATION = ("keras", "numpy", "jax", "tensorflow", "torch", "kmul", "tuning")


def is_in(module, room):
    return f"{module}.".startswith(f"{room}.")


def imports(module, at_import=False):
    """Returns the modules of the three packages that one imports.

    Args:
        module: Its name.
        at_import: Whether to leave out what functions import.
    """
    return [
        name
        for name in imported(module, at_import)
        if name.partition(".")[0] in PACKAGES
    ]


def imported(module, at_import=False):
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    nodes = _outside_functions(tree) if at_import else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in MODULES else node.module


def _outside_functions(node):
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield child
            yield from _outside_functions(child)


def test_every_room_is_known():
    rooms = {
        module
        for module in MODULES
        if not any(is_in(module, room) for room in ROOMS)
    }
    assert rooms == {"tuning"}
    assert all(any(is_in(module, room) for module in MODULES) for room in ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_go_one_way(room):
    wrong = [
        f"{module} imports {name}"
        for module in MODULES
        if is_in(module, room)
        for name in imports(module)
        if not any(is_in(name, each) for each in (room, *ROOMS[room]))
    ]
    assert not wrong


def test_rooms_are_in_no_circle():
    graph = {
        room: [
            other
            for other in ROOMS
            if other != room and any(is_in(other, each) for each in ROOMS[room])
        ]
        for room in ROOMS
    }
    graphlib.TopologicalSorter(graph).prepare()


def test_modules_are_in_no_circle():
    graph = {
        module: {
            name
            for name in imports(module, at_import=True)
            if name in MODULES and name != module
        }
        for module in MODULES
    }
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    "module", [each for each in MODULES if is_in(each, "tuning.population")]
)
def test_population_needs_keras_and_numpy_only(module):
    import sys

    known = {*POPULATION, *sys.stdlib_module_names}
    found = {name.partition(".")[0] for name in imported(module)}
    assert found <= known
