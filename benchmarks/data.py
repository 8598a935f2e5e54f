"""How fast the data is prepared and read, beside TFDS's own record files.

    python -m benchmarks.data [--records 1000000] [--plain-records 20000]

Both hold the same kind of records, in a temporary directory. Plain TFDS gets
fewer of them, and the rates are compared. Each line is measured in a process
of its own, and shows its peak memory.
"""

import concurrent.futures
import contextlib
import io
import multiprocessing
import os
import pathlib
import resource
import sys
import tempfile
import time

import numpy as np
import tensorflow_datasets as tfds

import tasks
from tuning.arguments import Parser
from tuning.arguments import positive_integer

EXAMPLES = (("logical_xor", "many_hot"), ("dot", "random"))
BATCH = 256


class PlainConfig(tfds.core.BuilderConfig):
    """The same data as in `tasks`, in TFDS's record files."""

    def __init__(self, task, inputs, records):
        super().__init__(name=f"{task}_{inputs}")
        self.task = task
        self.inputs = inputs
        self.records = records


class PlainReasoningOps(tfds.core.GeneratorBasedBuilder):
    """The plain way to write it with TFDS: a generator of single records."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        operation = tasks.OPERATIONS[self.builder_config.task]
        widths = {"a": 128, "b": 128, "label": operation.label_width(128)}
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    name: tfds.features.Tensor(shape=(width,), dtype=np.float32)
                    for name, width in widths.items()
                }
            ),
            supervised_keys=(("a", "b"), "label"),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        config = self.builder_config
        rng = np.random.default_rng(0)
        operation = tasks.OPERATIONS[config.task]
        for index in range(config.records):
            a, b = rng.random((2, 128), dtype=np.float32)
            if config.inputs == "many_hot":
                a, b = np.round(a), np.round(b)
            yield index, {"a": a, "b": b, "label": operation.label(a, b)}


def prepare_own(task, inputs, records, data_dir):
    tasks.load_inputs(
        inputs, "train", data_dir, train_records=records, records=1
    )


def read_own(task, inputs, records, data_dir):
    (a, b), label = tasks.load(
        task, inputs, "train", data_dir, train_records=records
    )
    return touch(a, b, label)


def own_dataset(task, inputs, records, data_dir, batch_size):
    config = tasks.ReasoningOpsConfig(
        name=f"{task}_{inputs}_benchmark",
        task=task,
        inputs=inputs,
        train_records=records,
    )
    builder = tfds.builder("reasoning_ops", config=config, data_dir=data_dir)
    builder.download_and_prepare()
    return builder.as_dataset(
        split="train", batch_size=batch_size, as_supervised=True
    )


def plain_builder(task, inputs, records, data_dir):
    return PlainReasoningOps(
        config=PlainConfig(task, inputs, records), data_dir=data_dir
    )


def prepare_plain(task, inputs, records, data_dir):
    plain_builder(task, inputs, records, data_dir).download_and_prepare()


def plain_dataset(task, inputs, records, data_dir, batch_size):
    return plain_builder(task, inputs, records, data_dir).as_dataset(
        split="train", batch_size=batch_size, as_supervised=True
    )


def read_plain(task, inputs, records, data_dir):
    dataset = plain_dataset(task, inputs, records, data_dir, 1024)
    batches = list(dataset.as_numpy_iterator())
    return touch(
        *(
            np.concatenate(each)
            for each in zip(
                *((a, b, label) for (a, b), label in batches), strict=True
            )
        )
    )


def touch(*arrays):
    """Reads all arrays to their end, even if they are only mapped."""
    return [float(array.sum()) for array in arrays]


def batches_own(*arguments):
    exhaust(own_dataset(*arguments, BATCH))


def batches_plain(*arguments):
    exhaust(plain_dataset(*arguments, BATCH))


def singles_own(*arguments):
    exhaust(own_dataset(*arguments, None).batch(BATCH))


def singles_plain(*arguments):
    exhaust(plain_dataset(*arguments, None).batch(BATCH))


def exhaust(dataset):
    for _ in dataset:
        pass


def measure(function, *arguments):
    """Returns seconds and the peak memory in MB."""
    if function not in WITHOUT_TENSORFLOW:
        import tensorflow as tf  # not part of the measurement

        tf.constant(0)
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        function(*arguments)
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return seconds, peak / (2**20 if sys.platform == "darwin" else 2**10)


def measure_apart(function, *arguments):
    with concurrent.futures.ProcessPoolExecutor(
        1, mp_context=multiprocessing.get_context("spawn")
    ) as pool:
        return pool.submit(measure, function, *arguments).result()


def size(directory):
    return sum(
        path.stat().st_size
        for path in pathlib.Path(directory).rglob("*")
        if path.is_file()
    )


WITHOUT_TENSORFLOW = (prepare_own, read_own)
LINES = (
    ("prepare", prepare_own, prepare_plain),
    ("read into arrays", read_own, read_plain),
    (f"tf.data, batch_size={BATCH}", batches_own, batches_plain),
    (f"tf.data, .batch({BATCH})", singles_own, singles_plain),
)


def main():
    parser = Parser(
        prog="python -m benchmarks.data", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--records", type=positive_integer, default=1_000_000)
    parser.add_argument(
        "--plain-records", type=positive_integer, default=20_000
    )
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    counts = arguments.records, arguments.plain_records
    print(f"{'':46}{'seconds':>9}{'records/s':>11}{'peak MB':>9}{'ratio':>8}")
    for task, inputs in EXAMPLES:
        with tempfile.TemporaryDirectory() as directory:
            folders = [pathlib.Path(directory, name) for name in "op"]
            for title, *functions in LINES:
                rates = []
                for kind, function, count, folder in zip(
                    ("own", "plain"), functions, counts, folders, strict=True
                ):
                    seconds, peak = measure_apart(
                        function, task, inputs, count, folder
                    )
                    rates.append(count / seconds)
                    ratio = (
                        "" if kind == "own" else f"{rates[0] / rates[1]:.0f}"
                    )
                    name = f"{task}_{inputs} {title}, {kind}"
                    print(
                        f"{name:46}{seconds:9.2f}{rates[-1]:11,.0f}"
                        f"{peak:9,.0f}{ratio:>8}",
                        flush=True,
                    )
            per_record = [
                size(folder) / count
                for folder, count in zip(folders, counts, strict=True)
            ]
            print(
                f"bytes on disk for each record: {per_record[0]:,.0f} own, "
                f"{per_record[1]:,.0f} plain, ratio "
                f"{per_record[1] / per_record[0]:.1f}"
            )


if __name__ == "__main__":
    main()
