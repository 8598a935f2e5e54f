import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import types

import numpy as np
import pytest

import tasks
from tasks.packed import locks
from tasks.packed import storage

PREPARE = """
import os, resource, signal, sys, time
import tasks
from tasks.packed import storage

settings = tasks.InputSettings(
    "random", 16, train_records=3000, validation_records=40, test_records=50
)
{before}
storage.prepare(settings, "train", sys.argv[1])
print("done")
"""


def start(data_dir, before=""):
    return subprocess.Popen(
        [sys.executable, "-c", PREPARE.format(before=before), data_dir],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def forget_what_was_verified():
    storage._verified.clear()


def names(directory):
    """The names of all files, without the lock and notes of checks."""
    return {
        path.name
        for path in directory.iterdir()
        if path.name != storage.LOCK and path.suffix != ".verified"
    }


@pytest.mark.parametrize("moment", ["storage._checksums", "shutil.rmtree"])
def test_killed(moment, settings, tmp_path):
    """A killed preparation is as none, and what it left is cleared away."""
    kill = "lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)"
    process = start(tmp_path, f"import shutil\n{moment} = {kill}")
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    directory = storage.directory_of(settings, tmp_path)
    (left,) = directory.glob(".*.incomplete")
    storage.prepare(settings, "train", tmp_path)
    assert not left.exists()
    columns = storage.open_packed(settings, "train", tmp_path)
    assert len(columns["a"]) == 3000


def test_interrupted(settings, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(storage, "_checksums", interrupt)
        with pytest.raises(KeyboardInterrupt):
            storage.prepare(settings, "train", tmp_path)
    directory = storage.directory_of(settings, tmp_path)
    assert names(directory) == set()
    assert storage.prepare(settings, "train", tmp_path)[0] == directory
    assert names(directory) == {"train_a.npy", "train_b.npy", "inputs.json"}


def test_each_split_is_prepared_by_itself(settings, tmp_path, monkeypatch):
    """A small split costs no more than it holds, whatever the others do."""
    drawn = []
    draw = tasks.InputSettings.draw

    def count(self, split):
        for rows in draw(self, split):
            drawn.append(len(rows["a"]))
            yield rows

    monkeypatch.setattr(tasks.InputSettings, "draw", count)
    storage.prepare(settings, "test", tmp_path)
    directory = storage.directory_of(settings, tmp_path)
    assert sum(drawn) == 50
    assert names(directory) == {"test_a.npy", "test_b.npy", "inputs.json"}
    for split in ("train", "validation", "test"):
        storage.prepare(settings, split, tmp_path)
    assert sum(drawn) == 3000 + 40 + 50
    assert len(names(directory)) == 7


def test_manifest_of_all_splits_at_once(settings, tmp_path):
    """It lists the same files, in whatever order they were prepared."""
    manifests = []
    for order in (("train", "test"), ("test", "train")):
        root = tmp_path / order[0]
        for split in order:
            storage.prepare(settings, split, root)
        path = storage.directory_of(settings, root) / storage.MANIFEST
        manifests.append(json.loads(path.read_text()))
    assert manifests[0] == manifests[1]


def test_disk_fills_up(settings, tmp_path):
    """The operating system refuses to let a file grow past a limit."""
    process = start(
        tmp_path,
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))",
    )
    _, error = process.communicate()
    directory = storage.directory_of(settings, tmp_path)
    assert process.returncode == 1
    assert error.strip().splitlines()[-1] == (
        f"tasks.packed.storage.DataError: Could not prepare {directory}: File "
        "too large. Free or repair it, or name another data directory."
    )
    assert names(directory) == set()


def test_too_little_space(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _: types.SimpleNamespace(free=1)
    )
    with pytest.raises(
        storage.DataError, match="384,000 bytes are needed, 1 are free"
    ):
        storage.prepare(settings, "train", tmp_path)


def test_no_directory(settings, tmp_path):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(storage.DataError, match=r"Could not prepare .*file"):
        storage.prepare(settings, "test", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_unwritable_directory(settings, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(storage.DataError, match="Permission denied"):
        storage.prepare(settings, "test", tmp_path)


def test_no_locks(settings, tmp_path, monkeypatch):
    """A file system without locks is no reason not to use it, in turn."""

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    columns = storage.open_packed(settings, "test", tmp_path)
    assert len(columns["a"]) == 50
    for path in (tmp_path / "soft", tmp_path / "hard"):
        with locks.locked(path) as first:
            with locks.locked(path, wait=False) as second:
                assert (first, second) == (True, False)
        with locks.locked(path, wait=False) as third:
            assert third
        monkeypatch.undo()


def test_two_at_once(settings, tmp_path):
    """The second waits for the first, and takes what it has made."""
    slowly = """
draw = tasks.InputSettings.draw
def slow(self, split):
    print("drawn", flush=True)
    time.sleep(1)
    yield from draw(self, split)
tasks.InputSettings.draw = slow
"""
    processes = [start(tmp_path, slowly) for _ in range(2)]
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    printed = sorted(output.split() for output, _ in outputs)
    assert printed == [["done"], ["drawn", "done"]]
    directory = storage.directory_of(settings, tmp_path)
    assert names(directory) == {"train_a.npy", "train_b.npy", "inputs.json"}


def test_another_prepares_when_the_first_is_killed(settings, tmp_path):
    first = start(
        tmp_path,
        "storage._write_manifest = lambda *_: "
        "(print('waits', flush=True), time.sleep(60))",
    )
    assert first.stdout.readline() == "waits\n"
    second = start(tmp_path)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(timeout=1)
    first.kill()
    first.communicate()
    output, _ = second.communicate(timeout=60)
    assert output == "done\n"


@pytest.fixture
def directory(settings, tmp_path):
    for split in settings.splits:
        path, _ = storage.prepare(settings, split, tmp_path)
    yield path
    forget_what_was_verified()


def truncate(path):
    os.truncate(path, path.stat().st_size - 100)


def flip(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def flip_the_header(path):
    """NumPy's own reader raises all sorts of errors on one of these."""
    data = bytearray(path.read_bytes())
    data[12] ^= 64
    path.write_bytes(data)


def lengthen(path):
    with open(path, "ab") as file:
        file.write(b"more")


def change_manifest(path):
    manifest = json.loads(path.read_text())
    manifest["settings"]["seed"] = 1
    path.write_text(json.dumps(manifest))


def forget_a_file(path):
    manifest = json.loads(path.read_text())
    del manifest["files"]["test_a.npy"]
    path.write_text(json.dumps(manifest))


def nest(path):
    path.write_text("[" * 100_000)


def forget_checksums(path):
    manifest = json.loads(path.read_text())
    manifest["files"]["train_b.npy"]["crc32"] = []
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "name, damage, problem",
    [
        ("train_a.npy", truncate, "it has 192,028 bytes, not 192,128"),
        ("train_b.npy", lengthen, "it has 192,132 bytes, not 192,128"),
        ("train_b.npy", flip, "its checksum has changed"),
        ("train_a.npy", flip_the_header, "its checksum has changed"),
        ("train_a.npy", os.unlink, "it is missing"),
        ("inputs.json", truncate, "it is not the manifest it was"),
        ("inputs.json", flip, "it is not the manifest it was"),
        ("inputs.json", nest, "it is not the manifest it was"),
        ("inputs.json", change_manifest, "it says .*'seed': 1.* not .*"),
        ("inputs.json", forget_a_file, "it does not list the files"),
        ("inputs.json", forget_checksums, "it lacks checksums"),
    ],
)
def test_corrupted(name, damage, problem, settings, directory, tmp_path):
    damage(directory / name)
    with pytest.raises(storage.DataError) as caught:
        storage.open_packed(settings, "train", tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{directory / name} is corrupted: ")
    assert message.endswith(
        f". Delete {directory}; it is prepared again when it is next used."
    )
    assert re.search(problem, message)
    shutil.rmtree(directory)
    columns = storage.open_packed(settings, "train", tmp_path)
    assert len(columns["a"]) == 3000


def test_change_is_seen_after_verification(settings, directory, tmp_path):
    storage.open_packed(settings, "train", tmp_path)
    flip(directory / "train_a.npy")
    with pytest.raises(storage.DataError, match="its checksum has changed"):
        storage.open_packed(settings, "train", tmp_path)


def test_other_processes_trust_what_was_verified_of_late(
    settings, directory, tmp_path, monkeypatch
):
    storage.open_packed(settings, "train", tmp_path)
    forget_what_was_verified()
    with monkeypatch.context() as patch:
        patch.setattr(storage, "_checksums", lambda *_: pytest.fail("It read."))
        storage.open_packed(settings, "train", tmp_path)
    forget_what_was_verified()
    flip(directory / "train_a.npy")
    with pytest.raises(storage.DataError, match="its checksum has changed"):
        storage.open_packed(settings, "train", tmp_path)
    monkeypatch.setattr(storage, "VERIFIED_SECONDS", 0)
    forget_what_was_verified()
    monkeypatch.setattr(storage, "_checksums", lambda *_: iter([0]))
    with pytest.raises(storage.DataError, match="its checksum has changed"):
        storage.open_packed(settings, "train", tmp_path)


def test_only_the_blocks_that_are_read_are_verified(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "BLOCK", 1000)
    settings = tasks.InputSettings("random", 16, 3000, 40, 50)
    directory, _ = storage.prepare(settings, "train", tmp_path)
    flip(directory / "train_a.npy")
    columns = storage.open_packed(settings, "train", tmp_path, records=100)
    assert columns["a"].shape == (100, 16)
    with pytest.raises(storage.DataError, match="its checksum has changed"):
        storage.open_packed(settings, "train", tmp_path)
    forget_what_was_verified()


def test_files_are_plain_numpy(settings, directory):
    assert names(directory) == {
        "inputs.json",
        *(f"{split}_{side}.npy" for split in tasks.SPLITS for side in "ab"),
    }
    vectors = np.load(directory / "train_a.npy")
    assert vectors.shape == (3000, 16)
    assert vectors.dtype == "<f4"


def test_packed_size(tmp_path):
    """The default data sets together stay within what was promised."""
    total = sum(
        storage.packed_bytes(tasks.InputSettings(inputs), split)
        for inputs in tasks.INPUTS
        for split in tasks.SPLITS
    )
    assert total < 2.2e9
