"""Files that are whole at every moment, and names for them."""

import os
import pathlib


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
    """Returns a name without the separators of tasks and modules."""
    return text.translate(str.maketrans("/:", ".."))
