"""Jobs on the workers of a Dask cluster, on one machine or on many.

They are the jobs of `tuning.study.workers`, and what they send is yielded in
the same way, once a job has ended: so a job that is run twice, because its
worker died or was silent for too long, counts once. Dask decides what runs
where, and runs again what a dead worker had.

Workers and the scheduler import this module, and workers must import Keras
after they have been told the backend. So it imports neither Keras nor, before
it is used, Dask.
"""

import contextlib
import functools
import importlib.util
import logging
import os
import pathlib
import pickle
import queue
import sys
import tempfile
import time
import uuid

import filelock

from tuning.errors import InstallationError
from tuning.errors import UserError
from tuning.messages import one_line
from tuning.population.processors import processors
from tuning.study.imports import import_keras
from tuning.study.versions import versions
from tuning.study.workers import Death
from tuning.study.workers import deaf_children
from tuning.study.workers import gpus
from tuning.study.workers import meeting_place
from tuning.study.workers import run_one
from tuning.study.workers import set_up

# Seconds to wait for a scheduler's first answer.
PATIENCE = 15
# Of the events by which workers tell how far they are; of all searches.
TOPIC = "kmul-steps"


@contextlib.contextmanager
def connect(where, backend, say=print):
    """Connects to a Dask cluster for a `with`, and gives a `Cluster`.

    Args:
        where: The scheduler's address; the path of its scheduler file; or
            `"local"` for a cluster of this machine, which ends with the `with`.
        backend: Name of Keras's backend.
        say: Called with a line if workers have to be waited for.

    Raises:
        UserError: There is no such cluster, or it cannot run the jobs.
    """
    if importlib.util.find_spec("distributed") is None:
        raise InstallationError(
            "distributed is not installed. Install it with pip install "
            "'kmul[cluster]'."
        )
    import distributed

    _be_quiet()
    with contextlib.ExitStack() as stack:
        target = {"address": where}
        if where == "local":
            target["address"] = stack.enter_context(_local_cluster())
        elif "://" not in where:
            if not os.path.isfile(where):
                raise UserError(
                    f"There is no scheduler file {where}. --cluster takes the "
                    "address of a scheduler, as tcp://host:8786, a scheduler "
                    "file, or local."
                )
            target = {"scheduler_file": where}
        try:
            client = distributed.Client(
                **target, timeout=PATIENCE, set_as_default=False
            )
        # Also for what is no address, and a file of something else.
        except (OSError, TypeError, ValueError, KeyError) as error:
            raise UserError(
                f"No scheduler answers at {where}: {one_line(error)}"
            ) from error
        stack.callback(client.close, timeout=5)
        cluster = Cluster(client, where, backend)
        cluster.check(say)
        yield cluster


class Cluster:
    """A Dask cluster that runs jobs.

    Args:
        client: A `distributed.Client`.
        where: What the user calls it.
        backend: Name of Keras's backend.

    Attributes:
        device: Name of what a worker trains on, after `check`.
    """

    def __init__(self, client, where, backend):
        self._client = client
        self._where = where
        self._backend = backend
        self._accelerated = False
        self.device = None

    def check(self, say):
        """Raises a `UserError` unless the cluster can run jobs.

        Args:
            say: As for `connect`.
        """
        import distributed

        try:
            self._client.run_on_scheduler(_is_here)
        except Exception as error:
            raise UserError(
                f"The scheduler of {self._where} lacks kmul: {one_line(error)}"
            ) from error
        if not self.jobs_at_once():
            say(f"Waiting for the first worker of {self._where}.")
            self._client.wait_for_workers(1)
        complaints = self._client.run(
            _complaint, *self._expected, on_error="return"
        )
        found = [
            f"{address} {one_line(found)}"
            for address, found in complaints.items()
            if found is not None
        ]
        if found:
            raise UserError(f"Workers that differ: {'; '.join(found)}.")
        probe = self._client.submit(_probe, self._backend, pure=False)
        try:
            self._accelerated, self.device = self._result(probe)
        except (ImportError, OSError, distributed.KilledWorker) as error:
            raise UserError(
                f"A worker of {self._where} cannot start: {one_line(error)}"
            ) from error

    @property
    def _expected(self):
        return self._backend, versions(self._backend)

    def is_accelerated(self):
        """Whether jobs run on a GPU or the like, and so together."""
        return self._accelerated

    def jobs_at_once(self):
        """Returns how many jobs run side by side at the moment."""
        return sum(self._client.nthreads().values())

    def run_jobs(self, jobs, function):
        """Runs jobs side by side and yields what they send.

        Args:
            jobs, function: As for `tuning.study.workers.run_jobs`.

        Yields:
            Tuples `(job, kind, content)`, as `run_jobs` does; and one of the
            kind `"warning"` for each worker that is refused.
        """
        import distributed

        running, submitted = {}, 0
        # Keys of jobs, and the steps that they have done, or None at the end.
        news = queue.SimpleQueue()
        self._client.subscribe_topic(TOPIC, lambda event: news.put(event[1]))
        try:
            while submitted < len(jobs) or running:
                for job in jobs[submitted:]:
                    self._submit(job, function, running, news)
                submitted = len(jobs)
                key, steps = news.get()
                if key not in running:
                    # Of another search, or late.
                    continue
                job, future, told = running.pop(key)
                if steps is not None:
                    # Where a job is run again, from where it is farther.
                    running[key] = job, future, max(told, steps)
                    yield job, "steps", max(steps - told, 0)
                    continue
                try:
                    events = self._result(future)
                except distributed.KilledWorker as error:
                    events = [("error", _Deaths.of(error))]
                if isinstance(events, _Refusal):
                    yield job, "warning", f"Refused: {events}"
                    self._client.retire_workers(
                        [events.worker], close_workers=True
                    )
                    self._submit(job, function, running, news)
                    continue
                for kind, content in events:
                    if kind == "steps":
                        content, told = content - told, max(told - content, 0)
                        content = max(content, 0)
                    yield job, kind, content
        finally:
            for _, future, _ in running.values():
                # It is told and not waited for: the scheduler may be gone.
                future.release()

    def _submit(self, job, function, running, news):
        future = self._client.submit(
            _run,
            # Nor does the scheduler unpack it, which would import Keras.
            pickle.dumps((function, job)),
            *self._expected,
            key=f"kmul-{uuid.uuid4().hex}",
        )
        running[future.key] = job, future, 0
        future.add_done_callback(lambda each: news.put((each.key, None)))

    def _result(self, future):
        import distributed

        try:
            return future.result()
        except distributed.CancelledError as error:
            raise UserError(
                f"The scheduler of {self._where} is gone. All that had ended "
                "is kept; the same command resumes the search."
            ) from error


class _Deaths(Death):
    """The message of a job whose workers died, each time that it was run."""

    @classmethod
    def of(cls, error):
        attempts = error.allowed_failures + 1
        deaths = cls(
            f"its worker died {attempts} times, the last time at "
            f"{error.last_worker.address}"
        )
        deaths.attempts = attempts
        return deaths


class _Refusal(str):
    """Why a worker does not run a job; and its address, `worker`."""

    def __new__(cls, text, worker):
        refusal = super().__new__(cls, text)
        refusal.worker = worker
        return refusal

    def __getnewargs__(self):
        return str(self), self.worker


class _Unwanted(BaseException):
    """Nobody waits for what a job does any longer.

    It is no `Exception`, as a trial that raises one has failed.
    """


@contextlib.contextmanager
def _local_cluster():
    import distributed

    # Its thread starts its workers, also those that come after others' death.
    with deaf_children():
        cluster = distributed.LocalCluster(
            n_workers=len(processors()),
            threads_per_worker=1,
            memory_limit=None,
            # With None it takes 8787, and warns where another has that.
            dashboard_address=":0",
            local_directory=meeting_place(),
            silence_logs=logging.CRITICAL,
        )
    with cluster:
        yield cluster.scheduler_address


def _be_quiet():
    """Keeps Dask from writing to the screen of a search."""
    for name in [*logging.root.manager.loggerDict]:
        if name.partition(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


# All that follows runs in a worker or in the scheduler.


def _is_here():
    """Nothing: it can only be called where this module is."""


def _complaint(backend, expected, dask_worker):
    """Returns in what a worker differs from the search, or None."""
    if dask_worker.state.nthreads > 1:
        return (
            f"runs {dask_worker.state.nthreads} jobs in one process; start it "
            "with --nthreads 1, and --nworkers for more processes"
        )
    mine = versions(backend)
    different = [
        f"has {name} {mine[name]}, not {expected[name]}"
        for name in expected
        if mine[name] != expected[name]
    ]
    keras = sys.modules.get("keras")
    if keras is not None and keras.config.backend() != backend:
        different.append(f"has imported Keras on {keras.config.backend()}")
    return ", ".join(different) or None


@functools.cache
def _set_up(backend, folder):
    """Makes a worker's thread fit for jobs, before its first one."""
    os.environ["KERAS_BACKEND"] = backend
    import_keras()
    # With a GPU the processors serve that.
    processor = None if gpus() else _own_processor()
    set_up(None if processor is None else processor[0], folder)
    return processor


def _own_processor():
    """Returns a processor that no other worker here has, and its lock.

    None if there are more workers than processors.
    """
    for number in processors():
        name = f"kmul-{os.getuid()}-processor-{number}.lock"
        lock = filelock.FileLock(
            pathlib.Path(tempfile.gettempdir(), name), thread_local=False
        )
        with contextlib.suppress(OSError):
            lock.acquire(timeout=0)
            return number, lock
    return None


def _probe(backend):
    """Returns whether a worker has an accelerator, and what it trains on."""
    import distributed

    _set_up(backend, distributed.get_worker().local_directory)
    from tuning.study.device import device_name
    from tuning.study.workers import is_accelerated

    return is_accelerated(), device_name()


def _run(packed, backend, expected):
    """Runs a job; returns what it sent, or a `_Refusal`."""
    import distributed

    worker = distributed.get_worker()
    try:
        complaint = _complaint(backend, expected, worker)
        if complaint is None:
            _set_up(backend, worker.local_directory)
    except Exception as error:
        complaint = f"cannot run jobs: {one_line(error)}"
    if complaint:
        return _Refusal(f"{worker.address} {complaint}", worker.address)
    function, job = pickle.loads(packed)
    key, sent = worker.get_current_task(), []
    done, told = 0, time.monotonic()

    def send(kind, content):
        nonlocal done, told
        # There is no public way to learn that a running task was cancelled.
        task = worker.state.tasks.get(key)
        if task is None or task.state != "executing":
            raise _Unwanted
        sent.append((kind, content))
        if kind == "steps":
            done += content
            # For the screen alone, and so not often.
            if time.monotonic() > told + 1:
                worker.log_event(TOPIC, (key, done))
                told = time.monotonic()

    run_one(job, function, send)
    return sent
