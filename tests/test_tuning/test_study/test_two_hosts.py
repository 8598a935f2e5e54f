"""A search through the network of two hosts; the same on every backend."""

import contextlib
import csv
import os
import shutil
import subprocess

import pytest
from support.processes import end
from support.processes import start_dask
from support.processes import start_search

pytestmark = pytest.mark.backends("torch")


def ip(*words):
    subprocess.run(["ip", *map(str, words)], check=True, capture_output=True)


@pytest.fixture
def hosts():
    """Two hosts with a cable between them, as words that run a command there.

    They are network namespaces, which Linux lets root make.
    """
    if shutil.which("ip") is None:
        pytest.skip("needs iproute2")
    names = [f"kmul-{os.getpid()}-{number}" for number in (1, 2)]
    with contextlib.ExitStack() as stack:
        for name in names:
            try:
                ip("netns", "add", name)
            except subprocess.CalledProcessError as error:
                pytest.skip(f"needs network namespaces: {error.stderr}")
            stack.callback(ip, "netns", "delete", name)
        first, second = names
        cable = ["type", "veth", "peer", "name", "cable", "netns", second]
        ip("link", "add", "cable", "netns", first, *cable)
        for number, name in enumerate(names, 1):
            ip(
                "-n",
                name,
                "address",
                "add",
                f"10.0.0.{number}/24",
                "dev",
                "cable",
            )
            for link in ("cable", "lo"):
                ip("-n", name, "link", "set", link, "up")
            # By which Dask knows its own address.
            ip("-n", name, "route", "add", "default", "dev", "cable")
        yield [["ip", "netns", "exec", name] for name in names]


def test_the_worker_is_on_another_host(hosts, options, data_dir, tmp_path):
    """Which has neither the records nor the results of the first."""
    path, (here, there) = tmp_path / "scheduler.json", hosts
    hide = f'mount -t tmpfs none {data_dir}; cd {data_dir}; exec "$@"'
    folder = ["--local-directory", tmp_path]
    processes = [start_dask("scheduler", path, before=here)]
    try:
        processes.append(
            start_dask(
                "worker", path, *folder, before=[*there, "sh", "-c", hide, "sh"]
            )
        )
        processes.append(
            start_search([*options, "--cluster", path], before=here)
        )
        output, error = processes[-1].communicate(timeout=120)
        assert processes[-1].returncode == 0, error
    finally:
        end(processes)
    assert "on 1 worker," in output
    with open(tmp_path / "results" / "results.csv", newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["done"]
