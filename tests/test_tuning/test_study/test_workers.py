import threading
import time

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
