import dataclasses

import numpy as np
import pytest

from experiments.interaction_parameters import report
from experiments.interaction_parameters import training
from experiments.interaction_parameters.training import QUICK
from experiments.interaction_parameters.training import Job
from experiments.interaction_parameters.training import Row
from experiments.interaction_parameters.training import Settings
from experiments.runs import Runs
from tuning.errors import UserError

TINY = Settings(
    dimensions=(2,),
    max_width=8,
    learning_rates=(1e-4, 3e-2),
    seeds=(0,),
    steps=80,
    steps_per_epoch=40,
    batch_size=64,
    train_records=1000,
    validation_records=200,
)


def found(job):
    sent = []
    training.search(job, lambda kind, rows: sent.extend(rows))
    return sent


def made_up(width, reached, function="dot", network="mlp", dimension=4):
    return Row(
        function=function,
        network=network,
        dimension=dimension,
        width=width,
        parameters=10 * width + 1,
        reached=reached,
        error=0.05 if reached else 0.5,
        learning_rate=0.01,
        seed=0,
        steps=100,
        seconds=1.0,
    )


def test_functions():
    x = np.array([[1.0, 2.0], [0.5, 1.0]])
    y = np.array([[3.0, -1.0], [4.0, 2.0]])
    np.testing.assert_array_equal(training.FUNCTIONS["dot"](x, y), [[1], [4]])
    np.testing.assert_array_equal(
        training.FUNCTIONS["sum"](x, y), [[4, 1], [4.5, 3]]
    )


@pytest.mark.parametrize(
    "function, network, width, parameters",
    [
        ("dot", "mlp", 8, (6 + 1) * 8 + 8 + 1),
        ("sum", "mlp", 8, (6 + 1) * 8 + (8 + 1) * 3),
        ("dot", "interaction", 0, 4**2),
        ("sum", "interaction", 0, 3 * 4**2),
    ],
)
def test_parameters(function, network, width, parameters):
    job = Job(function, network, 3, TINY)
    assert training.build(job, width).count_params() == parameters


def test_an_interaction_learns_what_a_small_mlp_does_not(tmp_path):
    (interaction,) = found(Job("dot", "interaction", 2, TINY))
    mlp = found(Job("dot", "mlp", 2, TINY))
    assert interaction.reached
    assert interaction.error <= TINY.target
    assert interaction.learning_rate == 3e-2
    assert interaction.parameters == 9
    # 4 is twice the dimension, 8 the largest width.
    assert [(row.width, row.reached) for row in mlp] == [(4, False), (8, False)]
    assert all(row.error > TINY.target and row.steps == 80 for row in mlp)
    rows = [interaction, *mlp]
    rows += [
        dataclasses.replace(row, function="sum", reached=True) for row in rows
    ]
    report.write(rows, TINY, "Made up.", tmp_path)
    page = (tmp_path / "report.md").read_text()
    assert "| 2 | more than 8 | more than 49 |" in page
    assert "| 2 | 4 | 25 |" in page
    assert (tmp_path / "parameters.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    "needed, tried",
    [
        (8, [8, 4]),
        (1, [8, 4, 2, 1]),
        (2, [8, 4, 2, 1]),
        (32, [8, 16, 32]),
        (64, [8, 16, 32]),
    ],
)
def test_search_of_the_width(needed, tried, monkeypatch):
    settings = dataclasses.replace(TINY, max_width=40)
    monkeypatch.setattr(
        training, "train", lambda job, width: made_up(width, width >= needed)
    )
    rows = found(Job("dot", "mlp", 4, settings))
    assert [row.width for row in rows] == tried
    need = report.needs(rows, "dot", "mlp")[4]
    assert need.width == (str(needed) if needed < 64 else "more than 32")
    # What is known is not trained again.
    rest = found(Job("dot", "mlp", 4, settings, tuple(rows[:2])))
    assert rest == rows[2:]


def test_rows_are_kept(tmp_path):
    rows = [made_up(8, True), made_up(4, False)]
    Runs(tmp_path, QUICK, Row).add(rows)
    assert Runs(tmp_path, QUICK, Row).rows == rows
    jobs = training.jobs(QUICK, rows)
    assert len(jobs) == 2 * 2 * len(QUICK.dimensions)
    assert [job.known for job in jobs if job.known] == [tuple(rows)]
    with pytest.raises(UserError, match="with other settings"):
        Runs(tmp_path, Settings(), Row)
