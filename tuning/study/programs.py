"""Where compiled programs are kept from one process to the next.

The first program of a network takes XLA a second to compile, and every start
would pay for it again. A program fits the processor that it was compiled on and
the version of the compiler alone, so each pair has a folder of its own.
"""

import contextlib
import hashlib
import importlib.metadata
import os
import pathlib
import platform
import re

from tuning.study.imports import backend_name

VARIABLE = "KMUL_CACHE_DIR"
# Bytes of a folder; beyond that, the older half of it goes.
MOST_BYTES = 2**30


def cache_directory():
    """Returns where programs are kept: `$KMUL_CACHE_DIR`, or the user's cache.

    None where there is neither, or the variable is empty.
    """
    named = os.environ.get(VARIABLE)
    if named is not None:
        return pathlib.Path(named) if named else None
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(cache, "kmul") if os.path.isabs(cache) else None


def keep_programs():
    """Lets this process keep its programs, and use those that are kept."""
    directory = cache_directory()
    if (
        backend_name() != "jax"
        or directory is None
        # JAX has been given one already.
        or os.environ.get("JAX_COMPILATION_CACHE_DIR")
    ):
        return
    version = importlib.metadata.version("jaxlib")
    directory = directory / "programs" / f"jax-{version}-{_processor()}"
    try:
        # A program that is loaded is run: nobody else may put one there.
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.stat().st_uid != os.getuid():
            return
    except OSError:
        return
    _forget_oldest(directory)
    # It imports Keras, which a search does not wait for at first.
    from tuning.population.loops import backend_loops

    backend_loops().keep_programs(directory)


def _processor():
    """Returns a name of the processor's features."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
        features = re.search(r"^(flags|Features)\s*:(.*)$", text, re.M).group(2)
    except (AttributeError, OSError):
        features = platform.processor()
    name = f"{platform.machine()} {' '.join(sorted(features.split()))}"
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def _forget_oldest(directory):
    # Another process may also remove them.
    with contextlib.suppress(OSError):
        kept = [(path.stat(), path) for path in directory.iterdir()]
        kept.sort(key=lambda each: each[0].st_mtime)
        size = sum(status.st_size for status, _ in kept)
        if size > MOST_BYTES:
            for _, path in kept[: len(kept) // 2]:
                path.unlink()
