"""Files that are whole at every moment, and names for them."""

import contextlib
import fcntl
import hashlib
import os
import pathlib

# Bytes; a file that is about to replace another has a longer name.
_LONGEST_NAME = 200


def replace_file(path, content):
    """Writes a file so that it is whole, or as it was, at every moment.

    Args:
        path: Where to.
        content: Text, written as UTF-8, or bytes.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    if isinstance(content, str):
        content = content.encode()
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def scratch_path(directory):
    """Returns the folder in a study's directory that it may remove."""
    # Nobody else has a folder of this name.
    return pathlib.Path(directory, ".kmul-scratch")


def as_file_name(text):
    """Returns a name without the separators of tasks and modules.

    A long one is cut, and told apart by a few characters: file systems take
    255 bytes.
    """
    name = text.translate(str.maketrans("/:\0", "..."))
    if len(name.encode(errors="replace")) <= _LONGEST_NAME:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > 8:
        stem, suffix = name, ""
    mark = hashlib.sha256(stem.encode(errors="replace")).hexdigest()[:12]
    return f"{stem[:40]}-{mark}{dot if suffix else ''}{suffix}"


@contextlib.contextmanager
def locked(folder, wait=True):
    """Locks a folder for this process; gives whether it could.

    It cannot where the file system has no locks; or, without waiting, where
    another process has it. A lock ends with its process.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)
