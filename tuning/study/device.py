"""What trains: the name of the accelerator, or of the processor."""

import functools
import pathlib
import platform
import re

from tuning.population.loops import backend_loops


@functools.cache
def device_name():
    """Returns the name of the accelerator, or of the processor."""
    name = backend_loops().accelerator_name()
    if name is None:
        try:
            information = pathlib.Path("/proc/cpuinfo").read_text()
            name = re.search(r"model name\s*:\s*(.*)", information).group(1)
        except (OSError, AttributeError):
            name = platform.processor() or platform.machine()
    return name
