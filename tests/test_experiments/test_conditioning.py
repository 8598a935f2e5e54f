import dataclasses

import numpy as np
import pytest

from experiments.conditioning import data
from experiments.conditioning import networks
from experiments.conditioning import report
from experiments.conditioning import training
from experiments.conditioning.training import Job
from experiments.conditioning.training import Row
from experiments.conditioning.training import Settings
from tasks import reasoning_ops

TINY = Settings(
    width=4,
    train_records=64,
    records=16,
    learning_rates=(1e-2,),
    seeds=(0, 1),
    rate_seeds=(0,),
    steps=20,
    batch_size=32,
)


def test_each_pair_is_trained_on_or_held_out_or_constant():
    parts = (data.TRAINED, data.HELD_OUT, data.CONSTANT)
    assert sorted(sum(parts, ())) == sorted(reasoning_ops.PAIRS)
    # What is held out is new as a combination alone.
    assert {task for task, _ in data.TRAINED} == set(data.OPERATIONS)
    assert {inputs for _, inputs in data.TRAINED} == set(reasoning_ops.INPUTS)


def test_constant_pairs_are_constant():
    for task, inputs in data.CONSTANT:
        _, label = reasoning_ops.load(
            task,
            inputs,
            width=16,
            train_records=128,
            validation_records=64,
            test_records=64,
        )
        assert np.ptp(label) == 0


@pytest.mark.parametrize("pair", data.TRAINED, ids="-".join)
def test_the_best_constant_has_a_loss_of_one(pair):
    """Labels of different size and width count the same."""
    records = data.load(pair, "train", TINY)
    constant = np.broadcast_to(records.label.mean(axis=0), records.label.shape)
    loss = training.unexplained(records.y, constant)
    assert np.mean(loss) == pytest.approx(1, rel=1e-4)
    # Behind the label nothing counts.
    width = reasoning_ops.OPERATIONS[pair[0]].label_width(TINY.width)
    assert records.weight[:, :width].all()
    assert not records.weight[:, width:].any()
    assert len(records.x[0]) == TINY.train_records
    assert set(records.x[1]) == {data.OPERATIONS.index(pair[0])}


def test_explained():
    records = data.load(("dot", "random"), "test", TINY)
    constant = np.broadcast_to(records.label.mean(axis=0), records.label.shape)
    right, half = records.label, (records.label + constant) / 2
    predicted = np.stack([right, constant, half, 9 + right], axis=1)
    np.testing.assert_allclose(
        training.explained(lambda x: predicted, records),
        [1, 0, 0.75, 0],
        atol=1e-5,
    )


@pytest.mark.parametrize("name", networks.WIDTHS)
def test_networks_have_equal_parameters(name):
    parameters = networks.build(name, Settings().width).count_params()
    assert parameters == pytest.approx(41_000, rel=0.05)


@pytest.mark.parametrize("name", networks.WIDTHS)
def test_networks_depend_on_the_operation(name):
    model = networks.build(name, 4, units=5)
    vectors = np.random.default_rng(0).uniform(-1, 1, (2, 8))
    vectors[1] = vectors[0]
    outputs = model.predict([vectors, np.array([3, 7])], verbose=0)
    assert outputs.shape == (2, 8)
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-3


def test_trains_and_goes_on_where_it_stopped():
    sent = []
    training.train(
        Job("FiLM", TINY), lambda kind, rows: sent.extend([(kind, rows)])
    )
    assert [kind for kind, _ in sent] == ["rows", "rows"]
    rows = [row for _, each in sent for row in each]
    assert [(row.learning_rate, row.seed) for row in rows] == [
        (1e-2, 0),
        (1e-2, 1),
    ]
    for row in rows:
        assert len(row.pairs) == len(data.TRAINED) + len(data.HELD_OUT)
        held_out = row.pairs[len(data.TRAINED) :]
        assert row.held_out == pytest.approx(np.mean(held_out), abs=1e-4)
        assert 0 <= row.explained < 1
        assert row.validation_loss > 0
    jobs = {job.network: job for job in training.jobs(TINY, rows)}
    assert {*jobs} == {*networks.WIDTHS} - {"FiLM"}
    (job,) = (
        job for job in training.jobs(TINY, rows[:1]) if job.network == "FiLM"
    )
    again = []
    training.train(job, lambda kind, rows: again.extend(rows))
    assert [row.seed for row in again] == [1]
    assert again[0].explained == pytest.approx(rows[1].explained, abs=1e-4)


def made_up():
    pairs = len(data.TRAINED) + len(data.HELD_OUT)
    return [
        Row(network, 1e-2, seed, 1000, 0.5, value, 0.1, [value] * pairs, 1.0)
        for index, network in enumerate(networks.WIDTHS)
        for seed in TINY.seeds
        for value in [0.1 * index + 1e-4 * seed]
    ]


def test_report(tmp_path):
    rows = made_up()
    report.write(rows, TINY, "Made up.", tmp_path)
    page = (tmp_path / "report.md").read_text()
    assert "explained best by “a head per task”: 0.800" in page
    assert "Above concatenation: a head per task (+0.800" in page
    assert "| FiLM | 1,000 | 0.01 | 0.200 ± 0.001 |" in page
    assert (tmp_path / "conditioning.png").stat().st_size > 10_000
    better = dataclasses.replace(rows[-1], seed=5, learning_rate=3e-2)
    assert (
        better not in report.by_network([*rows, better], TINY)[rows[-1].network]
    )
