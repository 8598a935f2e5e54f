import dataclasses

import pytest

from tuning.problems.data import DataSettings
from tuning.study.cells import select_cells
from tuning.study.job import Job
from tuning.study.job import run_job
from tuning.study.protocol import Protocol
from tuning.study.rows import Status
from tuning.study.rows import Trial
from tuning.study.search import Found
from tuning.study.spreading import Parts
from tuning.study.spreading import spread

# KerasTuner's, of names that Python has replaced.
pytestmark = [
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
]
RATES = (0.0001, 0.001, 0.01)


def job_of(network, depths, data_dir=None):
    cells = select_cells(
        ["logical_xor"], None, [network], ["linear"], depths, [0]
    )
    protocol = Protocol(4, 8, 8, learning_rates=RATES)
    data = DataSettings(str(data_dir), train_records=640)
    return Job(tuple(cells), protocol, data)


def test_every_rate_of_every_cell_is_tried_once():
    job = job_of("dense", [1, 2, 3])
    assert [len(each.cells) for each in spread([job], 3)] == [1, 1, 1]
    jobs = spread([job], 8)
    assert len(jobs) == 8
    # Without the training that comes after the parts of two cells.
    assert sum(each.steps for each in jobs) == job.steps - 3 * 8
    tried = [
        (each.cells, rate) for each in jobs for rate in each.rates or RATES
    ]
    assert len(tried) == len(set(tried)) == 9
    assert len({each.name for each in jobs if each.rates}) > 1
    # The rows to forget where such a job is run again.
    part = next(each for each in jobs if each.rates)
    last = dataclasses.replace(part, rates=None, found=Found())
    for rate, job in ((part.rates[0], part), (0.1, last)):
        trial = Trial.of(
            part.cells[0], learning_rate=rate, status=Status.FAILED
        )
        assert [each.is_of(trial) for each in (part, last)] == [
            each is job for each in (part, last)
        ]
    job = job_of("dense", [1, 2, 3])
    released = dataclasses.replace(job.protocol, name="released")
    jobs = spread([dataclasses.replace(job, protocol=released)], 8)
    assert [each.rates for each in jobs] == [None] * 3


# The backend that trains the members of a part as one.
@pytest.mark.backends("torch")
def test_parts_come_to_the_same(data_dir):
    job = job_of("multiply_simple", [1], data_dir)

    def run(jobs):
        parts, sent = Parts(jobs), []
        for each in jobs:
            events = []
            run_job(each, lambda *event, e=events: e.append(event))
            for kind, content in events:
                if kind == "found":
                    jobs += parts.found(each, content)
                elif kind == "trials":
                    sent += content
                elif kind == "result":
                    sent.append(dataclasses.replace(content, seconds=0))
        return sorted(sent, key=repr)

    parts = spread([job], 2)
    assert [each.rates for each in parts] == [RATES[::2], RATES[1::2]]
    whole = run([job])
    assert len(whole) == 4 and run(parts) == whole
