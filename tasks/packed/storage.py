"""Packed arrays on disk, checked, each split prepared when first read.

`<data_dir>/<data set>/inputs/<version>/<settings>/` holds a NumPy file for each
array of a split, and a manifest with the sizes and checksums of the files. A
file counts once the manifest lists it, which is after it is whole.
"""

import contextlib
import json
import math
import os
import pathlib
import shutil
import tempfile
import time
import zlib

import numpy as np
import tqdm

from tasks.packed.locks import locked

MANIFEST = "inputs.json"
LOCK = ".lock"
INCOMPLETE = ".incomplete"
# Bytes under one checksum.
BLOCK = 2**24

# Verified files: the number of blocks of a file, by its path, size, inode and
# times of change.
_verified = {}
# For so many seconds other processes take a file as verified that has not
# changed: to read a gigabyte takes longer than many a search.
VERIFIED_SECONDS = 12 * 3600


class DataError(OSError):
    """The data directory cannot be used; the message says why."""


def default_data_dir():
    """Returns TFDS's own: $TFDS_DATA_DIR or ~/tensorflow_datasets."""
    return pathlib.Path(
        os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
    ).expanduser()


def directory_of(settings, data_dir=None):
    """Returns the directory of the arrays of a `PackedSettings`."""
    data_dir = default_data_dir() if data_dir is None else data_dir
    return pathlib.Path(
        pathlib.Path(data_dir).expanduser(),
        settings.dataset,
        "inputs",
        settings.version,
        settings.directory_name,
    )


def packed_bytes(settings, split):
    """Returns the size of a split in bytes, without the files' headers."""
    row = sum(
        math.prod(shape) * np.dtype(dtype).itemsize
        for dtype, shape in settings.arrays().values()
    )
    return settings.records[split] * row


def prepare(settings, split, data_dir=None):
    """Draws and writes a split, unless it is there.

    Args:
        settings: A `PackedSettings`.
        split: Name of the split.
        data_dir: Root of all data sets. Default: that of TFDS.

    Returns:
        The directory it is in, and of each array the size of its file in
        bytes and the checksums of its blocks.
    """
    directory = directory_of(settings, data_dir)
    with explained("prepare", directory):
        splits = _read_manifest(directory, settings)
        if split not in splits:
            with exclusively(directory):
                # The process that held the lock may have prepared the same.
                splits = _read_manifest(directory, settings)
                if split not in splits:
                    _prepare(settings, split, splits, directory)
    return directory, splits[split]


def open_packed(settings, split, data_dir=None, records=None):
    """Maps the packed arrays of a split into memory, checked.

    Args:
        settings: A `PackedSettings`.
        split: Name of the split.
        data_dir: Root of all data sets. Default: that of TFDS.
        records: Number of records to map, the first ones. Default: all.

    Returns:
        A dictionary of arrays with a row for each record. Writing to them does
        not change the files.
    """
    directory, files = prepare(settings, split, data_dir)
    existing = settings.records[split]
    with explained("read", directory):
        return {
            name: _open(
                directory / _file_name(split, name),
                files[name],
                (existing, *shape),
                np.dtype(dtype),
                existing if records is None else records,
            )
            for name, (dtype, shape) in settings.arrays().items()
        }


@contextlib.contextmanager
def exclusively(directory):
    """Waits until no other process is in here for the same directory.

    The lock ends with the process, however that ends.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with locked(directory / LOCK):
        # Left behind by processes that were killed.
        for stale in directory.glob(f".*{INCOMPLETE}/"):
            shutil.rmtree(stale, ignore_errors=True)
        yield


@contextlib.contextmanager
def explained(action, directory):
    """Turns an error of the operating system into a `DataError`."""
    try:
        yield
    except DataError:
        raise
    except OSError as error:
        raise DataError(
            f"Could not {action} {directory}: {error.strerror or error}. Free "
            "or repair it, or name another data directory."
        ) from error


def _file_name(split, name):
    return f"{split}_{name}.npy"


def _prepare(settings, split, splits, directory):
    """Writes a split, and adds it to the manifest's `splits`."""
    needed = packed_bytes(settings, split)
    free = shutil.disk_usage(directory).free
    if needed > free:
        raise DataError(
            f"Could not prepare {directory}: {needed:,} bytes are needed, "
            f"{free:,} are free. Name another data directory."
        )
    with tempfile.TemporaryDirectory(
        prefix=".", suffix=INCOMPLETE, dir=directory
    ) as incomplete:
        incomplete = pathlib.Path(incomplete)
        _write_arrays(settings, split, incomplete)
        splits[split] = {}
        for name in settings.arrays():
            path = incomplete / _file_name(split, name)
            splits[split][name] = path.stat().st_size, list(_checksums(path))
            path.replace(directory / path.name)
    # At the very end: once all is listed, nobody clears away again.
    manifest = directory / f".{MANIFEST}{INCOMPLETE}"
    try:
        _write_manifest(settings, splits, manifest)
        manifest.replace(directory / MANIFEST)
    except BaseException:
        manifest.unlink(missing_ok=True)
        raise
    _synchronise(directory)


def _write_arrays(settings, split, directory):
    arrays = settings.arrays()
    count = settings.records[split]
    with contextlib.ExitStack() as stack:
        files = {}
        for name, (dtype, shape) in arrays.items():
            files[name] = stack.enter_context(
                open(directory / _file_name(split, name), "wb")
            )
            header = {
                "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
                "fortran_order": False,
                "shape": (count, *shape),
            }
            np.lib.format.write_array_header_1_0(files[name], header)
        bar = stack.enter_context(
            tqdm.tqdm(
                desc=f"Preparing {settings.dataset}, {split}",
                total=count,
                unit=" records",
                unit_scale=True,
                delay=0.5,
            )
        )
        for rows in settings.draw(split):
            for name, (dtype, _) in arrays.items():
                files[name].write(np.ascontiguousarray(rows[name], dtype).data)
            bar.update(len(rows[name]))
        for file in files.values():
            file.flush()
            os.fsync(file.fileno())


def _write_manifest(settings, splits, path):
    manifest = {
        "version": settings.version,
        "settings": settings.as_json(),
        "files": {
            _file_name(split, name): {"bytes": size, "crc32": checksums}
            for split, files in splits.items()
            for name, (size, checksums) in files.items()
        },
    }
    with open(path, "w", encoding="utf-8") as file:
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
    """Returns what there is: split → array → size and checksums of its file."""
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version, made_with = manifest["version"], manifest["settings"]
        listed = {
            name: (int(file["bytes"]), [int(each) for each in file["crc32"]])
            for name, file in manifest["files"].items()
        }
    except (FileNotFoundError, NotADirectoryError):
        return {}
    # The first for lists that are nested too deep.
    except (
        RecursionError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
    ) as error:
        raise _corrupted(path, "it is not the manifest it was") from error
    expected = settings.as_json()
    if version != settings.version or made_with != expected:
        raise _corrupted(
            path, f"it says {made_with}, version {version}, not {expected}"
        )
    splits = {}
    for split in settings.splits:
        files = {
            name: listed.pop(_file_name(split, name), None)
            for name in settings.arrays()
        }
        if any(files.values()):
            splits[split] = files
    if listed or any(None in files.values() for files in splits.values()):
        raise _corrupted(path, "it does not list the files it should")
    return splits


def _open(path, file, shape, dtype, records):
    size, checksums = file
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise _corrupted(path, "it is missing") from error
    if status.st_size != size:
        raise _corrupted(path, f"it has {status.st_size:,} bytes, not {size:,}")
    if len(checksums) != -(-size // BLOCK):
        raise _corrupted(path.with_name(MANIFEST), "it lacks checksums")
    row = math.prod(shape[1:]) * dtype.itemsize
    header = size - shape[0] * row
    # First of all: a header that has changed can raise anything.
    _verify(path, checksums, -(-(header + records * row) // BLOCK), status)
    try:
        packed = np.load(path, mmap_mode="c")
    except ValueError as error:
        raise _corrupted(path, "it is not a NumPy file") from error
    if packed.shape != shape or packed.dtype != dtype:
        raise _corrupted(
            path,
            f"it holds {packed.dtype} of shape {packed.shape}, not {dtype} "
            f"of shape {shape}",
        )
    return np.asarray(packed)[:records]


def _verify(path, checksums, blocks, status):
    now = [
        *(status.st_size, status.st_ino),
        *(status.st_mtime_ns, status.st_ctime_ns),
    ]
    key = str(path), *now
    done = _verified.get(key) or _verified_by_others(path, now)
    if done < blocks:
        found = _checksums(path, done)
        stored = checksums[done:blocks]
        if any(one != other for one, other in zip(found, stored, strict=False)):
            raise _corrupted(path, "its checksum has changed")
        done = blocks
        _tell_others(path, now, blocks)
    _verified[key] = done


def _note_path(path):
    return path.with_name(f".{path.name}.verified")


def _verified_by_others(path, now):
    """Returns how many blocks of a file were verified of late."""
    try:
        age = time.time() - _note_path(path).stat().st_mtime
        then, blocks = json.loads(_note_path(path).read_text(encoding="utf-8"))
        is_known = then == now and 0 <= age < VERIFIED_SECONDS
        return int(blocks) if is_known else 0
    except (OSError, RecursionError, TypeError, ValueError):
        return 0


def _tell_others(path, now, blocks):
    # Where nothing can be written, each process verifies for itself.
    with contextlib.suppress(OSError):
        note = _note_path(path)
        whole = note.with_name(f"{note.name}.{os.getpid()}")
        whole.write_text(json.dumps([now, blocks]), encoding="utf-8")
        whole.replace(note)
