"""Searches that are killed: nothing is lost, doubled, changed or left behind.

    KERAS_BACKEND=jax python -m benchmarks.faults [--kills 100] [--rows 20]
        [--preparing 20] [--minutes 10] [--no-conditions]

A small search with `--save-best` is killed (SIGKILL) at a random moment, its
whole group, its parent or one of its other processes, and started again, until
it is done; then the next one begins. `--rows` are kills at the very moment
when a row appears, and `--preparing` while the records are prepared. After each
kill, rows that were there must still be there; in the end, all must be as in an
undisturbed search, and every best model saved.

Then come the conditions of a bad day: a disk that is full or can only be read,
a directory that is removed, a process that is stopped for a while (SIGTSTP) or
told to end, little address space, no home directory. Each must end in success,
or in one line, with what was there unharmed.
"""

import argparse
import csv
import json
import math
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import tasks
from tasks.packed.storage import open_packed
from tuning.arguments import Parser
from tuning.arguments import integer
from tuning.arguments import positive_number

OPTIONS = (
    *("--task", "logical_xor", "logical_and"),
    *("--network", "multiply_simple", "dense"),
    *("--activation", "linear", "--depth", "1", "2"),
    *("--learning-rate", "0.001", "0.01"),
    *("--search-steps", "200", "--train-steps", "1000"),
    *("--train-records", "6400"),
)
CELLS = 6
KINDS = ("group", "parent", "other")


def start(directory, data_dir, before="", stdout=subprocess.DEVNULL):
    """Starts a search, after some words of the shell."""
    command = [
        *(sys.executable, "-m", "tuning.search", *OPTIONS),
        *("--directory", directory, "--data-dir", data_dir),
        *("--save-best", directory / "models"),
    ]
    return subprocess.Popen(
        ["sh", "-c", f'{before} exec "$@"', "sh", *map(str, command)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        # Not a session of its own: that could not be stopped as by Ctrl-Z.
        process_group=0,
    )


def members(group):
    """Returns the processes of a group that have not ended."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the name, which is in parentheses: state, parent, group.
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def results(directory):
    """Returns the rows without their durations, in order."""
    path = directory / "results.csv"
    if not path.exists():
        return []
    with open(path, newline="") as file:
        rows = [{**row, "seconds": ""} for row in csv.DictReader(file)]
    return sorted(rows, key=str)


def kill(process, directory, data_dir, seconds, moment):
    """Kills a search, if it is not done before; returns what was killed."""
    before = len(results(directory))
    if moment == "preparing":
        while process.poll() is None and not list(
            pathlib.Path(data_dir).rglob(".*.incomplete")
        ):
            time.sleep(0.001)
    end = time.monotonic() + random.uniform(0, seconds)
    while process.poll() is None:
        if moment == "row" and len(results(directory)) > before:
            break
        if moment != "row" and time.monotonic() > end:
            break
        time.sleep(0.001)
    kind = "group" if moment == "row" else random.choice(KINDS)
    others = [each for each in members(process.pid) if each != process.pid]
    try:
        if kind == "group":
            os.killpg(process.pid, signal.SIGKILL)
        elif kind == "parent" or not others:
            process.kill()
        else:
            os.kill(random.choice(others), signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.communicate()
    end = time.monotonic() + 30
    while left := members(process.pid):
        if time.monotonic() > end:
            raise SystemExit(f"{kind}: processes {left} are left behind.")
        time.sleep(0.05)
    return kind


def check(directory, expected):
    """Checks a search that is done."""
    found = results(directory)
    if found != expected:
        raise SystemExit(f"{directory}: {found}\nshould be\n{expected}")
    for task in ("logical_xor", "logical_and"):
        card = directory / "models" / f"{task}_many_hot.json"
        accuracy = json.loads(card.read_text())["made_by"]["accuracy"]
        best = max(
            float(row["accuracy"]) for row in found if row["task"] == task
        )
        if not card.with_suffix(".keras").exists() or (
            abs(accuracy - best) > 1e-8
        ):
            raise SystemExit(f"{card}: {accuracy} should be {best}")


def run_kills(count, moment, seconds, expected, data_dir, deadline):
    """Kills searches at random moments, or at those when a row appears."""
    killed = dict.fromkeys(KINDS, 0)
    with tempfile.TemporaryDirectory() as root:
        directory, searches = pathlib.Path(root, "0"), 0
        for _ in range(count):
            if time.monotonic() > deadline:
                break
            before = results(directory)
            process = start(directory, data_dir)
            what = kill(process, directory, data_dir, seconds, moment)
            killed[what] += 1
            now = results(directory)
            lost = [row for row in before if row not in now]
            if lost:
                raise SystemExit(f"Lost: {lost}")
            if len(now) == CELLS:
                finish(directory, data_dir, expected)
                searches += 1
                directory = pathlib.Path(root, str(searches))
        finish(directory, data_dir, expected)
    print(
        f"{sum(killed.values())} kills, {moment} {killed}: nothing lost, "
        "doubled or changed.",
        flush=True,
    )


def run_preparing(count, whole, deadline):
    """Kills searches while they prepare records, which are then completed."""
    killed = dict.fromkeys(KINDS, 0)
    settings = tasks.InputSettings("many_hot", train_records=6_400)
    for _ in range(count):
        if time.monotonic() > deadline:
            break
        with tempfile.TemporaryDirectory() as root:
            data_dir = pathlib.Path(root, "data")
            process = start(pathlib.Path(root, "results"), data_dir)
            what = kill(process, pathlib.Path(root), data_dir, 0.2, "preparing")
            killed[what] += 1
            for split in tasks.SPLITS:
                open_packed(settings, split, data_dir)
            left = list(data_dir.rglob(".*.incomplete"))
            files = list(data_dir.rglob("*.npy"))
            same = [
                path.read_bytes()
                == (whole / path.relative_to(data_dir)).read_bytes()
                for path in files
            ]
            if left or not all(same) or len(same) != 2 * len(tasks.SPLITS):
                raise SystemExit(f"{left} left behind, {files} {same}")
    print(
        f"{sum(killed.values())} kills, preparing {killed}: the records are "
        "whole.",
        flush=True,
    )


def run_conditions(seconds, expected, data_dir):
    """Searches on a bad day; each ends well, or in one line."""
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        # Stopped as by Ctrl-Z, in the middle, for longer than it takes.
        process = start(root / "stopped", data_dir)
        time.sleep(seconds / 2)
        os.killpg(process.pid, signal.SIGTSTP)
        time.sleep(seconds)
        status = pathlib.Path(f"/proc/{process.pid}/stat").read_text()
        if status.rpartition(")")[2].split()[0] != "T":
            raise SystemExit("SIGTSTP did not stop it.")
        os.killpg(process.pid, signal.SIGCONT)
        _, error = process.communicate()
        if process.returncode != 0:
            raise SystemExit(f"SIGTSTP: {process.returncode}: {error}")
        check(root / "stopped", expected)
        print("SIGTSTP: continues.", flush=True)
        temporary = root / ("long" * 20)
        temporary.mkdir()
        for name, before in (
            ("1 GB of address space", "ulimit -v 1000000;"),
            ("2 GB of address space", "ulimit -v 2000000;"),
            ("4 GB of address space", "ulimit -v 4000000;"),
            ("20 open files", "ulimit -n 20;"),
            ("no home directory", "unset HOME;"),
            ("a home directory that is not there", "export HOME=/nowhere;"),
            ("a long TMPDIR", f"export TMPDIR={temporary};"),
            ("a TMPDIR that is not there", "export TMPDIR=/nowhere;"),
            ("ASCII", "export LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0;"),
            # As in a terminal, for rich.
            ("20 columns", "export COLUMNS=20 FORCE_COLOR=1;"),
            ("a closed output", "exec >&-;"),
        ):
            process = start(root / name, data_dir, before)
            one_line_or_done(name, process, root / name, expected)
            if results(root / name) != expected:
                # What is there can be continued.
                finish(root / name, data_dir, expected)
        run_signals(root, data_dir, expected)
        run_removed(root, data_dir, expected)
        if os.geteuid() == 0:
            run_full(root, data_dir, expected)
            read_only(root, data_dir, expected)
        else:
            print("A disk that is full or can only be read needs root.")


def wait_for(path, process):
    while not path.exists() and process.poll() is None:
        time.sleep(0.001)


def run_signals(root, data_dir, expected):
    """Searches that are told to end, and one whose reader has had enough."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        directory = root / number.name
        process = start(directory, data_dir)
        wait_for(directory / "settings.json", process)
        process.send_signal(number)
        one_line_or_done(number.name, process, directory, expected, code=130)
        finish(directory, data_dir, expected)
    process = start(root / "head", data_dir, stdout=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    _, error = process.communicate()
    if (process.returncode, error) != (141, ""):
        raise SystemExit(f"| head -1: {process.returncode}: {error}")
    print("| head -1: ends.", flush=True)
    finish(root / "head", data_dir, expected)


def run_removed(root, data_dir, expected):
    """A search whose directory is removed while it runs."""
    directory = root / "removed"
    process = start(directory, data_dir)
    wait_for(directory / "results.csv", process)
    shutil.rmtree(directory)
    one_line_or_done("directory removed", process, directory, expected)
    finish(directory, data_dir, expected)


def run_full(root, data_dir, expected):
    """A search with a disk that is full after the first tables."""
    directory = root / "full"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "none", directory]
    subprocess.run(mount, check=True)
    try:
        process = start(directory, data_dir)
        one_line_or_done("a full disk", process, directory, expected)
        before = results(directory)
        subprocess.run([*mount[:3], "-o", "remount,size=16m", directory])
        finish(directory, data_dir, expected)
        if [row for row in before if row not in results(directory)]:
            raise SystemExit("A row was lost on a full disk.")
    finally:
        subprocess.run(["umount", directory], check=True)


def one_line_or_done(name, process, directory, expected, code=2):
    _, error = process.communicate()
    lines = error.strip().splitlines()
    if process.returncode == 0:
        check(directory, expected)
        print(f"{name}: done.", flush=True)
    elif process.returncode == code and len(lines) == 1:
        print(f"{name}: {lines[0]}", flush=True)
    else:
        raise SystemExit(f"{name}: {process.returncode}: {error}")


def read_only(root, data_dir, expected):
    """The results, and then the records, are where nothing can be written."""
    (root / "fixed").mkdir()
    finish(root / "fixed" / "results", data_dir, expected)
    shutil.copytree(data_dir, root / "fixed" / "data")
    before = results(root / "fixed" / "results")
    fixed = root / "fixed"
    mount = f"mount --bind {fixed} {fixed} && mount -o remount,ro,bind {fixed}"
    again = f"unshare -m sh -c '{mount} && exec \"$@\"' sh"
    for name, directory, records in (
        ("results on a disk to read", root / "fixed" / "results", data_dir),
        ("new results there", root / "fixed" / "new", data_dir),
        ("records there", root / "free", root / "fixed" / "data"),
    ):
        process = start(directory, records, f'set -- {again} "$@";')
        one_line_or_done(name, process, directory, expected)
    if results(root / "fixed" / "results") != before:
        raise SystemExit("A disk to read was written to.")


def finish(directory, data_dir, expected):
    process = start(directory, data_dir)
    _, error = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"exit code {process.returncode}: {error}")
    check(directory, expected)


def main():
    parser = Parser(
        prog="python -m benchmarks.faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kills", type=integer, default=100)
    parser.add_argument("--rows", type=integer, default=20)
    parser.add_argument("--preparing", type=integer, default=20)
    parser.add_argument(
        "--minutes",
        type=positive_number,
        default=math.inf,
        help="begin no kill after so many",
    )
    parser.add_argument("--no-conditions", action="store_true")
    options = parser.parse_args()
    deadline = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as root:
        data_dir, whole = pathlib.Path(root, "data"), pathlib.Path(root, "all")
        _, error = start(whole, data_dir).communicate()
        started = time.monotonic()
        _, error = start(whole.with_name("again"), data_dir).communicate()
        seconds = time.monotonic() - started
        expected = results(whole)
        if len(expected) != CELLS:
            raise SystemExit(error)
        check(whole, expected)
        check(whole.with_name("again"), expected)
        if not options.no_conditions:
            run_conditions(seconds, expected, data_dir)
        run_preparing(options.preparing, data_dir, deadline)
        for count, moment in ((options.rows, "row"), (options.kills, "random")):
            run_kills(count, moment, seconds, expected, data_dir, deadline)


if __name__ == "__main__":
    main()
