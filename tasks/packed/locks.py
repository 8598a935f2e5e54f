"""Locks between processes, on one machine and, on a shared disk, on many."""

import contextlib
import errno

import filelock

# How a file system says that it has no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
# Seconds after which a process that is not heard of has lost a lock there.
_LEASE = 60.0


def acquire(path, wait=True):
    """Takes a lock, which ends with this process at the latest.

    Where the file system has no locks, a file beside it says whose it is for
    as long as its owner renews it.

    Args:
        path: Path of a file, which is made.
        wait: Whether to wait for another process that has it.

    Returns:
        An object with a method `release`, or None if another process has it.

    Raises:
        OSError: Nothing can be written there.
    """
    timeout = -1 if wait else 0
    lock = filelock.FileLock(
        path, timeout, thread_local=False, fallback_to_soft=False
    )
    try:
        try:
            lock.acquire()
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            lock = filelock.SoftFileLease(
                f"{path}.held",
                timeout=timeout,
                lease_duration=_LEASE,
                thread_local=False,
            )
            lock.acquire()
    except filelock.Timeout:
        return None
    return lock


@contextlib.contextmanager
def locked(path, wait=True):
    """Holds a lock for a `with`; gives whether it could.

    Args:
        path, wait: As for `acquire`.
    """
    lock = acquire(path, wait)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            lock.release()
