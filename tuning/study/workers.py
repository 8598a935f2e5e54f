"""Jobs on all processors: one process each, pinned to its own.

A step of a tiny model is too short to be shared between processors; threads
would spend longer meeting than working. So every processor has a process of
its own, whose backend sees that one processor alone and keeps what it works on
in its cache. An accelerator is not divided: with one, all jobs run in this
process, one after the other.
"""

import collections
import importlib.abc
import importlib.machinery
import multiprocessing
import multiprocessing.connection
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import queue
import signal
import sys
import threading
import time
import traceback

import keras

from tuning.population.loops import backend_loops


def hide_tensorflow():
    """Keeps TensorFlow from being imported where it is not the backend.

    Keras looks for it whenever it serialises a model, and imports it if it is
    installed, which takes seconds and half a gigabyte.
    """
    if keras.config.backend() != "tensorflow":
        sys.meta_path.insert(0, _WithoutTensorFlow())


class _WithoutTensorFlow(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes importing TensorFlow fail, and nothing else.

    `None` in `sys.modules` would do that too, but TFDS takes it for TensorFlow
    itself.
    """

    def find_spec(self, fullname, path, target=None):
        if fullname == "tensorflow":
            return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec):
        raise ModuleNotFoundError("TensorFlow is hidden", name=spec.name)

    def exec_module(self, module):
        """Never called: there is no module."""


def processors():
    """Returns the numbers of the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def run_jobs(jobs, function, deadline=None, here=None):
    """Runs jobs side by side and yields what they send.

    Args:
        jobs: List of picklable jobs, in the order to start them in.
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
        process died, where the content is a message; or `"stopped"` if the
        deadline came before.
    """
    if here is None:
        here = backend_loops().is_accelerated() or len(processors()) == 1
    run = _run_here if here else _run_in_processes
    unfinished = list(jobs)
    for job, kind, content in run(jobs, function, deadline):
        if kind in ("finished", "error"):
            unfinished.remove(job)
        yield job, kind, content
    for job in unfinished:
        yield job, "stopped", None


def _seconds_until(deadline):
    return None if deadline is None else max(0, deadline - time.monotonic())


def _run_here(jobs, function, deadline):
    # In a thread, so that a job's results are passed on as they come.
    sent = queue.SimpleQueue()

    def run():
        for job in jobs:
            _run_job(
                job, function, lambda *event, job=job: sent.put((job, *event))
            )
        sent.put(None)

    threading.Thread(target=run, daemon=True).start()
    try:
        while event := sent.get(timeout=_seconds_until(deadline)):
            yield event
    except queue.Empty:
        return


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
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([function.__module__])
    _start_fork_server()
    waiting = collections.deque(jobs)
    busy = {}
    workers = []
    try:
        for processor in processors()[: len(jobs)]:
            workers.append(_Worker(context, processor, function))
        idle = list(workers)
        while waiting or busy:
            while waiting and idle:
                worker, job = idle.pop(), waiting.popleft()
                worker.connection.send(job)
                busy[worker.connection] = worker, job
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
                    worker.process.join()
                    kind = "error"
                    content = (
                        "the process died with exit code "
                        f"{worker.process.exitcode}"
                    )
                    workers.remove(worker)
                    replacement = _Worker(context, worker.processor, function)
                    workers.append(replacement)
                    worker = replacement
                if kind in ("finished", "error"):
                    del busy[connection]
                    idle.append(worker)
                yield job, kind, content
    finally:
        for worker in workers:
            worker.process.kill()
            worker.connection.close()


def _start_fork_server():
    """Starts it so that Ctrl-C reaches neither it nor what it forks.

    A terminal sends the signal to all its processes; this one decides what is
    to become of the others. What is blocked here stays so in its children.
    """
    # The tracker unblocks the signal once it has started; so it goes first.
    multiprocessing.resource_tracker.ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


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


def _work(connection, processor, function):
    hide_tensorflow()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {processor})
        backend_loops().use_one_thread()
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        _run_job(job, function, lambda *event: connection.send(event))


def _die_with_parent():
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
