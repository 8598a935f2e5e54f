"""What the source of the library may not hold.

It imports Keras and NumPy only, does nothing else at import, and adds tensors
by `kmul._sums` alone.
"""

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
    assert ROOT / "layers" / "products" / "multiply_unit.py" in FILES


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


def is_literal(node):
    """Whether it is a number, a NAMED_ONE, a text, a tuple or a list."""
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    if isinstance(node, ast.Name):
        return node.id.isupper()
    return isinstance(
        node, (ast.Constant, ast.JoinedStr, ast.Tuple, ast.List, ast.ListComp)
    )


def computes_with_tensors(function):
    return function.name == "call" or any(
        isinstance(node, ast.Name) and node.id == "ops"
        for node in ast.walk(function)
    )


def unsafe_sums(source):
    """Lists the sums for which `kmul._sums` should be used.

    These are all uses of `ops.add`, and every `+` without a literal in a
    function that computes with tensors: one named `call`, or with `ops`.
    """
    tree = ast.parse(source)
    found = [
        name
        for name in [*imported_names(tree), *used_names(tree)]
        if name.removeprefix("keras.") in ("ops.add", "ops.numpy.add")
    ]
    for function in ast.walk(tree):
        if not isinstance(
            function, ast.FunctionDef
        ) or not computes_with_tensors(function):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.BinOp):
                terms = (node.left, node.right)
            elif isinstance(node, ast.AugAssign):
                terms = (node.target, node.value)
            else:
                continue
            if isinstance(node.op, ast.Add) and not any(map(is_literal, terms)):
                found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.is_relative_to(ROOT / "layers")],
    ids=lambda path: path.stem,
)
def test_tensors_are_added_safely(path):
    assert unsafe_sums(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "from keras.ops import add",
        "def f(x): return ops.add(x, 1)",
        "def f(x): return keras.ops.add(x, x)",
        "def f(x): return functools.reduce(ops.add, x)",
        "def call(self, x): return self.kernel + x",
        "def f(x): return ops.abs(x) + x",
        "def f(x):\n    y = ops.abs(x)\n    y += x",
    ],
)
def test_finds_unsafe_sums(source):
    assert unsafe_sums(source)


@pytest.mark.parametrize(
    "source",
    [
        "def build(self, width): return width + self.units",
        "def call(self, x): return x + 1e-7",
        "def call(self, x): return x + EPSILON",
        "def f(x): return ops.reshape(x, (1,) + x.shape)",
        "def f(x): return add(x, ops.abs(x))",
    ],
)
def test_allows_other_sums(source):
    assert unsafe_sums(source) == []
