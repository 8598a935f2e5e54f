"""Builds the package and tries it in clean environments, a backend in each.

    python .ci/try_wheel.py [--tag v1.2.3] [BACKEND ...]

The wheel and the source archive are left in `dist`. The versions installed are
those of `constraints.txt`.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile

ROOT = pathlib.Path(__file__).parent.parent
DIST = ROOT / "dist"
BACKENDS = ("jax", "tensorflow", "torch")
NEEDED = (
    "kmul/layers/products/multiply_unit.py",
    "tasks/reasoning_ops/TAGS.txt",
    "tuning/cards/known.json",
    "tuning/cards/page.html",
    "tuning/reporting/page.html",
)
UNWANTED = ("tests/", "experiments/", "benchmarks/", "saved_models/")
TRIAL = """
import sys
import keras
import numpy as np
import kmul

backend, version = sys.argv[1:]
assert keras.config.backend() == backend
assert kmul.__version__ == version, kmul.__version__
a, b = np.random.default_rng(0).uniform(-1, 1, (2, 4096, 4)).astype("float32")
x, z = keras.Input((4,)), keras.Input((4,))
model = keras.Model([x, z], kmul.MultiplyUnit(4)([x, z]))
model.compile(keras.optimizers.Adam(0.03), "mse")
losses = model.fit([a, b], a * b, batch_size=64, epochs=8, verbose=0).history
assert losses["loss"][-1] < 0.01, losses
expected = model.predict([a, b], verbose=0)
model.save("model.keras")
loaded = keras.saving.load_model("model.keras")
found = loaded.predict([a, b], verbose=0)
assert np.allclose(found, expected, atol=1e-6)
others = {"jax", "tensorflow", "torch"} - {backend}
assert not others & set(sys.modules), others & set(sys.modules)
print(f"{backend}: trained, saved and loaded")
"""


def make_environment(path):
    """Returns a function that runs Python in a new virtual environment."""
    venv.create(path, with_pip=True)
    python = path / "bin" / "python"

    def run(*arguments, **kwargs):
        subprocess.run([python, *arguments], check=True, **kwargs)

    return run


def build(directory):
    """Builds wheel and source archive, and returns the path of the wheel."""
    shutil.rmtree(DIST, ignore_errors=True)
    run = make_environment(directory / "build")
    run("-m", "pip", "install", "--quiet", "build")
    run("-m", "build", "--outdir", DIST, ROOT, stdout=subprocess.DEVNULL)
    (wheel,) = DIST.glob("*.whl")
    return wheel


def check_contents(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    missing = [name for name in NEEDED if name not in names]
    unwanted = [name for name in names if name.startswith(UNWANTED)]
    if missing or unwanted:
        sys.exit(f"{wheel.name}: missing {missing}, unwanted {unwanted}")


def try_backend(directory, wheel, backend):
    version = wheel.name.split("-")[1]
    path = directory / backend
    run = make_environment(path)
    constraints = ROOT / "constraints.txt"
    wanted = f"{wheel}[{backend}]"
    run("-m", "pip", "install", "--quiet", "-c", constraints, wanted)
    environment = {**os.environ, "KERAS_BACKEND": backend}
    # In a directory of its own, where the repository can't be imported.
    run("-c", TRIAL, backend, version, cwd=path, env=environment)
    shutil.rmtree(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("backends", nargs="*", metavar="BACKEND")
    parser.add_argument("--tag", help="the release's tag, v and the version")
    arguments = parser.parse_args()
    unknown = {*arguments.backends} - {*BACKENDS}
    if unknown:
        parser.error(f"no such backend: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        wheel = build(directory)
        version = wheel.name.split("-")[1]
        if arguments.tag not in (None, f"v{version}"):
            sys.exit(f"The tag is {arguments.tag}, the version {version}.")
        check_contents(wheel)
        for backend in arguments.backends or BACKENDS:
            try_backend(directory, wheel, backend)


if __name__ == "__main__":
    main()
