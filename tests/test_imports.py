"""The library imports Keras and NumPy only, and does nothing else at import."""

import ast
import pathlib
import sys

import pytest

import kmul

ROOT = pathlib.Path(kmul.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
ALLOWED = {"keras", "numpy", "kmul"} | set(sys.stdlib_module_names)
# What draws and writes curves, imported when that is asked for.
LAZY = {"_layer_monitor.py": {"matplotlib", "tensorboard"}}
FORBIDDEN = ("keras.src", "keras.backend", "keras._")


def imported_names(tree):
    """Yields every dotted name that is imported, wherever it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports should be absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def dotted_name(node):
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = dotted_name(node.value)
        return owner and f"{owner}.{node.attr}"
    return None


def used_names(tree):
    """Yields every dotted name that is used, such as keras.backend.floatx."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = dotted_name(node)
            if name:
                yield name


def calls_at_import(tree):
    """Yields the calls that run when the module is imported."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            outside = [*node.decorator_list, *node.args.defaults]
            outside += [each for each in node.args.kw_defaults if each]
        elif isinstance(node, ast.ClassDef):
            yield from calls_at_import(node)
            outside = [*node.decorator_list, *node.bases]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        else:
            outside = [node]
        for each in outside:
            for found in ast.walk(each):
                if isinstance(found, ast.Call):
                    yield ast.unparse(found.func)


HARMLESS = {"keras.saving.register_keras_serializable", "tuple", "frozenset"}


def offences(source, also=frozenset()):
    tree = ast.parse(source)
    names = list(imported_names(tree))
    allowed = ALLOWED | also
    found = [name for name in names if name.split(".")[0] not in allowed]
    found += [
        name
        for name in [*names, *used_names(tree)]
        if f"{name}.".startswith(tuple(f"{each}." for each in FORBIDDEN[:2]))
        or name.startswith(FORBIDDEN[2])
    ]
    found += [call for call in calls_at_import(tree) if call not in HARMLESS]
    return found


def test_there_are_files():
    assert ROOT / "layers" / "multiply_unit.py" in FILES


@pytest.mark.parametrize(
    "path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES]
)
def test_imports_keras_and_numpy_only(path):
    also = LAZY.get(path.name, frozenset())
    assert offences(path.read_text(encoding="utf-8"), also) == []


@pytest.mark.parametrize(
    "source",
    [
        "import jax",
        "from tensorflow import nn",
        "def f():\n    import torch",
        "import scipy.special",
        "from keras.src import ops",
        "import keras.src.ops",
        "from keras import backend",
        "import keras\ndef f():\n    return keras.backend.floatx()",
        "import keras\nkeras.config.set_floatx('float16')",
        "class A:\n    x = print()",
        "def f(x=print()): pass",
        "@print()\ndef f(): pass",
    ],
)
def test_finds_what_is_forbidden(source):
    assert offences(source)
