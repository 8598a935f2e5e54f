"""Jobs on all processors: one process each, pinned to its own.

A step of a tiny model is too short to be shared between processors; threads
would spend longer meeting than working. So every processor has a process of
its own, whose backend sees that one processor alone and keeps what it works on
in its cache. A GPU is not divided: with one, all jobs run in this process, one
after the other; with several, each has a process of its own.
"""

import collections
import contextlib
import dataclasses
import functools
import multiprocessing
import multiprocessing.connection
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import multiprocessing.util
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import traceback

import filelock

from tuning.errors import UserError
from tuning.population.processors import processors
from tuning.study.files import put_scratch
from tuning.study.imports import hide_tensorflow
from tuning.study.programs import keep_programs

# Where workers are met: beside the system's folder for temporary files, whose
# path may be too long for a socket, or not be writable.
_MEETING_PLACES = ("/tmp", "/dev/shm", "/var/tmp", ".")
_PREFIX = "kmul-workers-"
# A socket's path has some hundred characters, and its name takes thirty.
_LONGEST_PATH = 60


class Death(str):
    """The message of an `"error"` where the job's process has died.

    Attributes:
        attempts: How often the job was tried before this was told.
    """

    attempts = 1


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a worker runs: on a processor, or with a GPU."""

    processor: int | None = None
    gpu: str | None = None


def run_jobs(jobs, function, deadline=None, here=None):
    """Runs jobs side by side and yields what they send.

    Args:
        jobs: List of picklable jobs, in the order to start them in. Jobs that
            are appended to it meanwhile are also run.
        function: Picklable callable, called as `function(job, send)`. It
            sends with `send(kind, content)`.
        deadline: The `time.monotonic()` at which all jobs are stopped. Those
            in this process are not waited for any longer. Default: never.
        here: Boolean, whether jobs run in this process, one after the other;
            they need not be picklable then. Default: with one GPU, or a single
            processor.

    Yields:
        Tuples `(job, kind, content)`. Each job's last has the kind
        `"finished"`; or `"error"` if the job raised an exception, or its
        process died, where the content is a message, for a dead process a
        `Death`; or `"stopped"` if the deadline came before.
    """
    if here is None:
        here = jobs_at_once() == 1
    run = _run_here if here else _run_in_processes
    ended = []
    for job, kind, content in run(jobs, function, deadline):
        if kind in ("finished", "error"):
            ended.append(job)
        yield job, kind, content
    for job in jobs:
        if job in ended:
            ended.remove(job)
        else:
            yield job, "stopped", None


def jobs_at_once():
    """Returns how many jobs run side by side: 1 if they do in this process."""
    return len(places())


def places():
    """Returns the `Place`s of the workers: of one, this process is one."""
    on_processors = [Place(processor=each) for each in processors()]
    if len(on_processors) == 1:
        return on_processors
    if not is_accelerated():
        return on_processors
    return [Place(gpu=each) for each in gpus()] or [Place()]


def is_accelerated():
    """Whether jobs here run on a GPU or the like, and so together."""
    from tuning.population.loops import backend_loops

    return backend_loops().is_accelerated()


@functools.cache
def gpus():
    """Returns the GPUs here, by the names that `CUDA_VISIBLE_DEVICES` takes."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [each.strip() for each in named.split(",") if each.strip()]
    command = ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=60
        ).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return []


def leave_gpus_alone():
    """Keeps this process from taking memory of GPUs that its workers need.

    To be called before the backend is imported.
    """
    if len(gpus()) > 1:
        # JAX takes three quarters of each otherwise, before it is used.
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


def _seconds_until(deadline):
    return None if deadline is None else max(0, deadline - time.monotonic())


def _run_here(jobs, function, deadline):
    put_scratch(meeting_place())
    # In a thread, so that a job's results are passed on as they come.
    waiting, sent = queue.SimpleQueue(), queue.SimpleQueue()
    no_more = object()

    def run():
        for job in iter(waiting.get, no_more):
            run_one(job, function, lambda *event: sent.put(event))

    threading.Thread(target=run, daemon=True).start()
    try:
        for job in jobs:
            waiting.put(job)
            kind = None
            while kind not in ("finished", "error"):
                kind, content = sent.get(timeout=_seconds_until(deadline))
                yield job, kind, content
    except queue.Empty:
        return
    finally:
        waiting.put(no_more)


def run_one(job, function, send):
    """Runs a job, and sends how it ended after all that it sends itself."""
    try:
        function(job, send)
    except Exception:
        send("error", traceback.format_exc())
    else:
        send("finished", None)


def _run_in_processes(jobs, function, deadline):
    free = collections.deque(places())
    if free[0].gpu is None:
        # A forked child of a process whose backend has started can hang, and a
        # spawned one imports everything again. The fork server imports once,
        # runs nothing, and forks.
        start_early(function.__module__)
        context = multiprocessing.get_context("forkserver")
    else:
        # A process that has looked for GPUs must not be forked.
        context = multiprocessing.get_context("spawn")
    busy, idle, started = {}, [], 0
    try:
        while started < len(jobs) or busy:
            while started < len(jobs) and (idle or free):
                worker = idle.pop() if idle else None
                if worker is None:
                    worker = _Worker(context, free.popleft(), function)
                busy[worker.connection] = worker, jobs[started]
                worker.connection.send(jobs[started])
                started += 1
            ready = multiprocessing.connection.wait(
                list(busy), _seconds_until(deadline)
            )
            if not ready:
                return
            for connection in ready:
                worker, job = busy[connection]
                try:
                    kind, content = connection.recv()
                except (EOFError, ConnectionError):
                    kind, content = "error", worker.cause_of_death()
                    del busy[connection]
                    free.append(worker.place)
                else:
                    if kind in ("finished", "error"):
                        del busy[connection]
                        idle.append(worker)
                yield job, kind, content
    finally:
        for worker in [*idle, *(worker for worker, _ in busy.values())]:
            worker.process.kill()
            worker.connection.close()


def start_early(module):
    """Starts to import the jobs' packages, while this process does others.

    Ctrl-C reaches neither the fork server nor its children: a terminal
    sends the signal to all its processes, and this one decides what is to
    become of the others. What is blocked here stays so in its children.

    Args:
        module: Name of the module of the jobs' function.
    """
    meeting_place()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tuning.study.preload", module])
    with deaf_children():
        multiprocessing.forkserver.ensure_running()


@contextlib.contextmanager
def deaf_children():
    """Lets processes that are started now not hear of Ctrl-C."""
    # The tracker unblocks the signal once it has started; so it goes first.
    multiprocessing.resource_tracker.ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextlib.contextmanager
def _visible(gpu):
    """Lets processes that are started now see one GPU; None for all."""
    if gpu is None:
        yield
        return
    name = "CUDA_VISIBLE_DEVICES"
    before = os.environ.get(name)
    os.environ[name] = gpu
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@functools.cache
def meeting_place():
    """Makes the folder where multiprocessing meets the fork server."""
    wanted = [*_MEETING_PLACES]
    with contextlib.suppress(FileNotFoundError):
        wanted.insert(0, tempfile.gettempdir())
    for place in map(os.path.abspath, wanted):
        if len(os.fsencode(place)) > _LONGEST_PATH:
            continue
        try:
            folder = tempfile.mkdtemp(prefix=_PREFIX, dir=place)
        except OSError:
            continue
        lock = _lock_of(folder)
        lock.acquire()
        _remove_left_behind(place)
        # It asks `tempfile` for its folder, now and once.
        tempfile.tempdir, usual = folder, tempfile.tempdir
        try:
            multiprocessing.util.get_temp_dir()
        finally:
            tempfile.tempdir = usual
        # After multiprocessing has removed its own.
        multiprocessing.util.Finalize(
            None, _end_fork_server, (folder, lock), exitpriority=-200
        )
        return folder
    raise UserError(
        f"None of {', '.join(wanted)} can be written to, or its path is too "
        "long. Set TMPDIR to a folder that can."
    )


def _lock_of(folder):
    # Beside it would be left behind itself.
    return filelock.FileLock(pathlib.Path(folder, ".lock"), timeout=0)


def _remove_left_behind(place):
    """Removes the folders of processes that were killed."""
    for folder in pathlib.Path(place).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            # A younger one may be about to be locked.
            if time.time() - folder.stat().st_mtime > 60:
                with _lock_of(folder):
                    shutil.rmtree(folder, ignore_errors=True)


def _end_fork_server(folder, lock):
    # It would end by itself once it has imported everything; a reader of this
    # process's output would wait for that. There is no public way.
    process = multiprocessing.forkserver._forkserver._forkserver_pid
    if process is not None:
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()


class _Worker:
    """A process that takes jobs from a connection until that is closed."""

    def __init__(self, context, place, function):
        self.place = place
        self.connection, remote = context.Pipe()
        self.process = context.Process(
            target=_work,
            args=(remote, place.processor, meeting_place(), function),
            daemon=True,
        )
        with deaf_children(), _visible(place.gpu):
            self.process.start()
        remote.close()

    def cause_of_death(self):
        """Returns the cause of this process's death, once it is dead."""
        self.connection.close()
        self.process.join()
        code = self.process.exitcode
        if code >= 0:
            return Death(f"the process died with exit code {code}")
        return Death(
            f"the process was killed by {signal.Signals(-code).name}, as when "
            "memory runs out"
        )


def _work(connection, processor, folder, function):
    threading.Thread(target=_die_with_parent, daemon=True).start()
    set_up(processor, folder)
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        run_one(job, function, lambda *event: connection.send(event))


def set_up(processor, folder):
    """Makes this thread, and those it starts, fit to run jobs.

    Args:
        processor: Number of the processor it gets, or None for all.
        folder: Where jobs may write.
    """
    hide_tensorflow()
    put_scratch(folder)
    if processor is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {processor})
        from tuning.population.loops import backend_loops

        backend_loops().use_one_thread()
    keep_programs()


def _die_with_parent():
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
