"""The records that networks are trained and judged on."""

import contextlib
import dataclasses
import functools
import json
import os

import tasks
from tasks.packed.records import open_split
from tasks.packed.storage import directory_of


@dataclasses.dataclass(frozen=True)
class DataSettings:
    """Which records: where they are kept, and how many there are.

    Attributes:
        data_dir: Root of all data sets, None for the default of TFDS.
        width: Width of each of the two vectors.
        train_records: Size of the training split, at most; None for all.
    """

    data_dir: str | None = None
    width: int = 128
    train_records: int | None = None

    def inputs(self, name):
        """Returns the settings of an input distribution."""
        settings = tasks.InputSettings(name, width=self.width)
        limit = self.train_records
        if limit is None or limit >= settings.records["train"]:
            return settings
        return dataclasses.replace(settings, train_records=limit)


@functools.lru_cache(maxsize=16)
def open_inputs(data, inputs, split):
    """Returns `[a, b]`, a split's vectors, prepared on first use."""
    columns = open_split(data.inputs(inputs), split, data.data_dir)
    return list(columns.values())


def keep_beside(data, inputs, name, compute):
    """Returns a result of records alone, computed once.

    It is kept beside the records, for this version of kmul.

    Args:
        data: The `DataSettings`.
        inputs: Name of the inputs' distribution.
        name: A name for the result, with all that it depends on.
        compute: Callable that returns it, a list as JSON holds it.
    """
    # It imports Keras, which a report does without.
    import kmul

    directory = directory_of(data.inputs(inputs), data.data_dir)
    path = directory / "constants" / f"{kmul.__version__}_{name}.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, list):
            return found
    except (OSError, RecursionError, ValueError):
        pass
    found = compute()
    # Where nothing can be written, it is computed again.
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        whole = path.with_name(f".{path.name}.{os.getpid()}")
        whole.write_text(json.dumps(found), encoding="utf-8")
        whole.replace(path)
    return found
