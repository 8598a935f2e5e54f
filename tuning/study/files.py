"""Files that are whole at every moment, and names for them."""

import hashlib
import os
import pathlib
import tempfile

# Bytes; a file that is about to replace another has a longer name.
_LONGEST_NAME = 200
# Where scratch is; None for the system's folder for temporary files.
_scratch = None


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


def scratch():
    """Returns a folder that is gone after the `with` that it is used in.

    It is where this process was told by `put_scratch`.
    """
    return tempfile.TemporaryDirectory(
        prefix="kmul-job-", dir=_scratch, ignore_cleanup_errors=True
    )


def put_scratch(folder):
    """Lets `scratch` be in a folder from now on, which others clear away."""
    global _scratch
    _scratch = folder


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
