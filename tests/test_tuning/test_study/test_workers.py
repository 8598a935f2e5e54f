import os
import subprocess
import sys
import threading
import time

import pytest

from tuning.study import workers
from tuning.study.workers import run_jobs


def test_what_hangs_is_stopped_at_the_deadline():
    release = threading.Event()

    def work(job, send):
        send("started", job)
        if job == "hangs":
            release.wait()

    deadline = time.monotonic() + 0.5
    jobs = ["works", "hangs", "waits"]
    events = list(run_jobs(jobs, work, deadline=deadline, here=True))
    release.set()
    assert events == [
        ("works", "started", "works"),
        ("works", "finished", None),
        ("hangs", "started", "hangs"),
        ("hangs", "stopped", None),
        ("waits", "stopped", None),
    ]


def test_jobs_that_are_added_meanwhile():
    jobs, run = ["first"], []
    for job, kind, _ in run_jobs(
        jobs, lambda *each: run.append(each), here=True
    ):
        if (job, kind) == ("first", "finished"):
            jobs.append("second")
    assert [each for each, _ in run] == ["first", "second"]


def test_a_job_may_be_anything():
    events = list(run_jobs([None, 0], lambda *_: None, here=True))
    assert events == [(None, "finished", None), (0, "finished", None)]


def test_what_a_killed_process_left_behind_is_removed(tmp_path):
    left, held, fresh = (
        tmp_path / f"{workers._PREFIX}{name}" for name in ("a", "b", "c")
    )
    for folder in (left, held, fresh):
        folder.mkdir()
    with workers._lock_of(held):
        for folder in (left, held):
            os.utime(folder, (0, 0))
        workers._remove_left_behind(tmp_path)
    assert sorted(tmp_path.iterdir()) == [held, fresh]


def look_at_gpu(job, send):
    send("gpu", (os.environ.get("CUDA_VISIBLE_DEVICES"), os.getpid()))
    # So that the other worker takes the other job.
    time.sleep(0.3)


@pytest.mark.backends("torch")
def test_each_of_several_gpus_has_a_worker(monkeypatch):
    workers.gpus.cache_clear()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a, 3")
    monkeypatch.setattr(workers, "processors", lambda: [0, 1, 2])
    monkeypatch.setattr(workers, "is_accelerated", lambda: True)
    assert workers.jobs_at_once() == 2
    found = {
        job: content
        for job, kind, content in run_jobs([0, 1], look_at_gpu)
        if kind == "gpu"
    }
    assert sorted(gpu for gpu, _ in found.values()) == ["3", "GPU-a"]
    assert len({os.getpid(), *(pid for _, pid in found.values())}) == 3
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-a, 3"
    workers.gpus.cache_clear()


@pytest.mark.backends("jax")
def test_nothing_is_imported_that_no_job_uses():
    unused = ("matplotlib", "pandas", "sklearn", "tensorflow", "torch")
    program = (
        "import sys, tuning.study.preload, tuning.study.job\n"
        f"print([name for name in {unused} if name in sys.modules])\n"
        "import pandas"
    )
    command = [sys.executable, "-c", program]
    output = subprocess.run(command, capture_output=True, text=True, check=True)
    assert output.stdout == "[]\n"
