"""What the system allows a process, looked at before a search begins."""

import importlib.util

from tuning.errors import UserError
from tuning.population.processors import processors

# Bytes of address space that a search on JAX, the smallest backend, takes.
LEAST_SPACE = 2_000_000_000


def check_limits():
    """Raises a `UserError` if a search would fail for lack of something."""
    # There is none of it on Windows.
    if importlib.util.find_spec("resource") is None:
        return
    import resource

    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 64 + 8 * len(processors())
    if files != resource.RLIM_INFINITY and files < needed:
        try:
            # As everybody may do, up to a second limit.
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, most))
        except (OSError, ValueError) as error:
            raise UserError(
                f"Only {files} files may be open at once, and a search needs "
                f"up to {needed}. Set ulimit -n."
            ) from error
    space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if space != resource.RLIM_INFINITY and space < LEAST_SPACE:
        raise UserError(
            f"Only {space / 1e9:.1f} GB of address space are allowed, and a "
            f"search needs {LEAST_SPACE / 1e9:.0f} or more. Set ulimit -v."
        )
