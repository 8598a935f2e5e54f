"""The inputs on disk: packed, checked, and prepared at most once.

`<data_dir>/reasoning_ops/inputs/<version>/<name>/` holds two NumPy files for
each split, one of all vectors `a` and one of all `b`, and a manifest with
their sizes and checksums. It appears as a whole or not at all.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import shutil
import zlib

import numpy as np
import tqdm

from tasks.reasoning_ops.inputs import SPLITS
from tasks.reasoning_ops.inputs import generate

VERSION = "1.0.0"
NAME = "reasoning_ops"
MANIFEST = "inputs.json"
SIDES = ("a", "b")
# Bytes under one checksum.
BLOCK = 2**24

# What has been verified: the number of blocks of a file, by its path, size
# and time of change.
_verified = {}


class DataError(OSError):
    """The data directory cannot be used; the message says why."""


def default_data_dir():
    """Returns TFDS's own: $TFDS_DATA_DIR or ~/tensorflow_datasets."""
    return pathlib.Path(
        os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
    ).expanduser()


def inputs_directory(settings, data_dir=None):
    """Returns the directory of the inputs of an `InputSettings`."""
    data_dir = default_data_dir() if data_dir is None else data_dir
    counts = "-".join(str(count) for count in settings.records.values())
    name = f"{settings.inputs}-{settings.width}-{counts}-{settings.seed}"
    return (
        pathlib.Path(data_dir).expanduser() / NAME / "inputs" / VERSION / name
    )


def packed_bytes(settings, split):
    """Returns the size of a split in bytes, without the files' headers."""
    distribution = settings.distribution
    vector = (
        distribution.packed_width(settings.width)
        * np.dtype(distribution.dtype).itemsize
    )
    return len(SIDES) * settings.records[split] * vector


def prepare(settings, data_dir=None):
    """Draws and writes the inputs, unless they are there.

    Args:
        settings: An `InputSettings`.
        data_dir: Root of all data sets. Default: that of TFDS.

    Returns:
        The directory they are in.
    """
    directory = inputs_directory(settings, data_dir)
    with _explained(directory):
        if not directory.exists():
            with exclusively(directory.parent):
                # Who held the lock before may have died, or made the same.
                for stale in directory.parent.glob(".*.incomplete"):
                    shutil.rmtree(stale)
                if not directory.exists():
                    _prepare(settings, directory)
    return directory


def open_packed(settings, split, data_dir=None, records=None):
    """Maps the packed vectors of a split into memory, checked.

    Args:
        settings: An `InputSettings`.
        split: Name of the split.
        data_dir: Root of all data sets. Default: that of TFDS.
        records: Number of records to map, the first ones. Default: all.

    Returns:
        `(a, b)`, arrays of shape `(records, packed_width)`. Writing to them
        does not change the files.
    """
    directory = prepare(settings, data_dir)
    files = _read_manifest(directory, settings)
    shape = (
        settings.records[split],
        settings.distribution.packed_width(settings.width),
    )
    return tuple(
        _open(
            directory / _file_name(split, side),
            files[_file_name(split, side)],
            shape,
            np.dtype(settings.distribution.dtype),
            settings.records[split] if records is None else records,
        )
        for side in SIDES
    )


@contextlib.contextmanager
def exclusively(directory):
    """Waits until no other process is in here for the same directory.

    The lock ends with the process, however that ends.
    """
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _explained(directory):
    try:
        yield
    except DataError:
        raise
    except OSError as error:
        raise DataError(
            f"Could not prepare {directory}: {error.strerror or error}. Free "
            "or repair it, or name another data directory."
        ) from error


def _file_name(split, side):
    return f"{split}_{side}.npy"


def _prepare(settings, directory):
    needed = sum(packed_bytes(settings, split) for split in SPLITS)
    free = shutil.disk_usage(directory.parent).free
    if needed > free:
        raise DataError(
            f"Could not prepare {directory}: {needed:,} bytes are needed, "
            f"{free:,} are free. Name another data directory."
        )
    incomplete = directory.parent / f".{directory.name}.incomplete"
    incomplete.mkdir()
    try:
        _write_vectors(settings, incomplete)
        _write_manifest(settings, incomplete)
        _synchronise(incomplete)
        incomplete.rename(directory)
        _synchronise(directory.parent)
    finally:
        shutil.rmtree(incomplete, ignore_errors=True)


def _write_vectors(settings, directory):
    distribution = settings.distribution
    dtype = np.dtype(distribution.dtype)
    width = distribution.packed_width(settings.width)
    with contextlib.ExitStack() as stack:
        files = {}
        for split, count in settings.records.items():
            for side in SIDES:
                file = stack.enter_context(
                    open(directory / _file_name(split, side), "wb")
                )
                header = {
                    "descr": np.lib.format.dtype_to_descr(dtype),
                    "fortran_order": False,
                    "shape": (count, width),
                }
                np.lib.format.write_array_header_1_0(file, header)
                files[split, side] = file
        bar = stack.enter_context(
            tqdm.tqdm(
                desc=f"Preparing {settings.inputs}",
                total=sum(settings.records.values()),
                unit=" records",
                unit_scale=True,
                delay=0.5,
            )
        )
        for split, *vectors in generate(settings):
            for side, packed in zip(SIDES, vectors, strict=True):
                packed = np.ascontiguousarray(packed, dtype)
                files[split, side].write(packed.data)
            bar.update(len(packed))
        for file in files.values():
            file.flush()
            os.fsync(file.fileno())


def _write_manifest(settings, directory):
    manifest = {
        "version": VERSION,
        "settings": dataclasses.asdict(settings),
        "files": {
            path.name: {
                "bytes": path.stat().st_size,
                "crc32": list(_checksums(path)),
            }
            for path in sorted(directory.iterdir())
        },
    }
    with open(directory / MANIFEST, "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=2)
        file.flush()
        os.fsync(file.fileno())


def _synchronise(directory):
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checksums(path, start=0):
    """Yields the checksum of every block of a file from number `start`."""
    with open(path, "rb", buffering=0) as file:
        file.seek(start * BLOCK)
        while block := file.read(BLOCK):
            yield zlib.crc32(block)


def _corrupted(path, problem):
    return DataError(
        f"{path} is corrupted: {problem}. Delete {path.parent}; it is prepared "
        "again when it is next used."
    )


def _read_manifest(directory, settings):
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version, made_with = manifest["version"], manifest["settings"]
        files = {
            name: (int(file["bytes"]), [int(each) for each in file["crc32"]])
            for name, file in manifest["files"].items()
        }
    except FileNotFoundError as error:
        raise _corrupted(path, "it is missing") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _corrupted(path, "it is not the manifest it was") from error
    expected = dataclasses.asdict(settings)
    if version != VERSION or made_with != expected:
        raise _corrupted(
            path, f"it says {made_with}, version {version}, not {expected}"
        )
    names = {_file_name(split, side) for split in SPLITS for side in SIDES}
    if set(files) != names:
        raise _corrupted(path, "it does not list the files it should")
    return files


def _open(path, file, shape, dtype, records):
    size, checksums = file
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise _corrupted(path, "it is missing") from error
    if status.st_size != size:
        raise _corrupted(path, f"it has {status.st_size:,} bytes, not {size:,}")
    try:
        vectors = np.load(path, mmap_mode="c")
    except ValueError as error:
        raise _corrupted(path, "it is not a NumPy file") from error
    if vectors.shape != shape or vectors.dtype != dtype:
        raise _corrupted(
            path,
            f"it holds {vectors.dtype} of shape {vectors.shape}, not {dtype} "
            f"of shape {shape}",
        )
    header = size - vectors.nbytes
    end = header + records * vectors[:1].nbytes
    _verify(path, checksums, -(-end // BLOCK), status)
    return np.asarray(vectors)[:records]


def _verify(path, checksums, blocks, status):
    key = (str(path), status.st_size, status.st_mtime_ns, status.st_ino)
    done = _verified.get(key, 0)
    pairs = zip(_checksums(path, done), checksums[done:blocks], strict=False)
    if done < blocks and any(found != stored for found, stored in pairs):
        raise _corrupted(path, "its checksum has changed")
    _verified[key] = max(done, blocks)
