"""Searches that are killed: nothing is lost, doubled, changed or left behind.

    KERAS_BACKEND=jax python -m benchmarks.faults [--kills 100] [--rows 20]

A small search with `--save-best` is killed (SIGKILL) at a random moment, its
whole group, its parent or one of its other processes, and started again, until
it is done; then the next one begins. `--rows` are kills at the very moment
when a row appears. After each kill, rows that were there must still be there;
in the end, all must be as in an undisturbed search, and every best model saved.
"""

import argparse
import csv
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

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


def start(directory, data_dir):
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tuning.search", *OPTIONS),
            *("--directory", directory, "--data-dir", data_dir),
            *("--save-best", directory / "models"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
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


def kill(process, directory, seconds, at_row):
    """Kills a search, if it is not done before; returns what was killed."""
    before = len(results(directory))
    end = time.monotonic() + random.uniform(0, seconds)
    while process.poll() is None:
        if at_row and len(results(directory)) > before:
            break
        if not at_row and time.monotonic() > end:
            break
        time.sleep(0.001)
    kind = "group" if at_row else random.choice(KINDS)
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


def run_kills(count, at_row, seconds, expected, data_dir):
    killed = dict.fromkeys(KINDS, 0)
    with tempfile.TemporaryDirectory() as root:
        directory, searches = pathlib.Path(root, "0"), 0
        for _ in range(count):
            before = results(directory)
            process = start(directory, data_dir)
            killed[kill(process, directory, seconds, at_row)] += 1
            now = results(directory)
            lost = [row for row in before if row not in now]
            if lost:
                raise SystemExit(f"Lost: {lost}")
            if len(now) == CELLS:
                finish(directory, data_dir, expected)
                searches += 1
                directory = pathlib.Path(root, str(searches))
        finish(directory, data_dir, expected)
    print(f"{count} kills {killed}: nothing lost, doubled or changed.")


def finish(directory, data_dir, expected):
    process = start(directory, data_dir)
    _, error = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"exit code {process.returncode}: {error}")
    check(directory, expected)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--rows", type=int, default=20)
    options = parser.parse_args()
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
        for count, at_row in ((options.kills, False), (options.rows, True)):
            run_kills(count, at_row, seconds, expected, data_dir)


if __name__ == "__main__":
    main()
