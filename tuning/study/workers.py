"""Jobs on all processors: one process each, pinned to its own.

A step of a tiny model is too short to be shared between processors; threads
would spend longer meeting than working. So every processor has a process of
its own, whose backend sees that one processor alone and keeps what it works on
in its cache. An accelerator is not divided: with one, all jobs run in this
process, one after the other.
"""

import collections
import contextlib
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
import tempfile
import threading
import time
import traceback

from tuning.errors import UserError
from tuning.population.processors import processors
from tuning.study.files import locked
from tuning.study.imports import hide_tensorflow
from tuning.study.programs import keep_programs

# Where workers are met: beside the system's folder for temporary files, whose
# path may be too long for a socket, or not be writable.
_MEETING_PLACES = ("/tmp", "/dev/shm", "/var/tmp", ".")
_PREFIX = "kmul-workers-"
# A socket's path has some hundred characters, and its name takes thirty.
_LONGEST_PATH = 60


class Death(str):
    """The message of an `"error"` where the job's process has died."""


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
            they need not be picklable then. Default: with an accelerator, or
            a single processor.

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
    if len(processors()) == 1:
        return 1
    from tuning.population.loops import backend_loops

    return 1 if backend_loops().is_accelerated() else len(processors())


def _seconds_until(deadline):
    return None if deadline is None else max(0, deadline - time.monotonic())


def _run_here(jobs, function, deadline):
    # In a thread, so that a job's results are passed on as they come.
    waiting, sent = queue.SimpleQueue(), queue.SimpleQueue()
    no_more = object()

    def run():
        for job in iter(waiting.get, no_more):
            _run_job(job, function, lambda *event: sent.put(event))

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


def _run_job(job, function, send):
    try:
        function(job, send)
    except Exception:
        send("error", traceback.format_exc())
    else:
        send("finished", None)


def _run_in_processes(jobs, function, deadline):
    # A forked child of a process whose backend has started can hang, and a
    # spawned one imports everything again. The fork server imports once, runs
    # nothing, and forks.
    start_early(function.__module__)
    context = multiprocessing.get_context("forkserver")
    free = collections.deque(processors())
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
                    free.append(worker.processor)
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
    _meeting_place()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tuning.study.preload", module])
    # The tracker unblocks the signal once it has started; so it goes first.
    multiprocessing.resource_tracker.ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@functools.cache
def _meeting_place():
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
        held = contextlib.ExitStack()
        held.enter_context(locked(folder, wait=False))
        _remove_left_behind(place)
        # It asks `tempfile` for its folder, now and once.
        tempfile.tempdir, usual = folder, tempfile.tempdir
        try:
            multiprocessing.util.get_temp_dir()
        finally:
            tempfile.tempdir = usual
        # After multiprocessing has removed its own.
        multiprocessing.util.Finalize(
            None, _end_fork_server, (folder, held), exitpriority=-200
        )
        return folder
    raise UserError(
        f"None of {', '.join(wanted)} can be written to, or its path is too "
        "long. Set TMPDIR to a folder that can."
    )


def _remove_left_behind(place):
    """Removes the folders of processes that were killed."""
    for folder in pathlib.Path(place).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            # A younger one may be about to be locked.
            if time.time() - folder.stat().st_mtime > 60:
                with locked(folder, wait=False) as is_left_behind:
                    if is_left_behind:
                        shutil.rmtree(folder, ignore_errors=True)


def _end_fork_server(folder, held):
    # It would end by itself once it has imported everything; a reader of this
    # process's output would wait for that. There is no public way.
    process = multiprocessing.forkserver._forkserver._forkserver_pid
    if process is not None:
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
    held.close()


class _Worker:
    """A process that takes jobs from a connection until that is closed."""

    def __init__(self, context, processor, function):
        self.processor = processor
        self.connection, remote = context.Pipe()
        self.process = context.Process(
            target=_work, args=(remote, processor, function), daemon=True
        )
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


def _work(connection, processor, function):
    from tuning.population.loops import backend_loops

    hide_tensorflow()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {processor})
        backend_loops().use_one_thread()
    keep_programs()
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        _run_job(job, function, lambda *event: connection.send(event))


def _die_with_parent():
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
