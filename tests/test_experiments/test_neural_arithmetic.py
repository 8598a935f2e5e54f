import dataclasses

import keras
import numpy as np
import pytest

from experiments.neural_arithmetic import report
from experiments.neural_arithmetic import training
from experiments.neural_arithmetic.training import Job
from experiments.neural_arithmetic.training import Row
from experiments.neural_arithmetic.training import Settings
from experiments.runs import Runs
from kmul import layers
from tasks import arithmetic_ops
from tuning.errors import UserError

TINY = Settings(seeds=(0, 1), steps=20, steps_per_epoch=10, batch_size=32)


def made_up(unit="NMU", operation="mul", seed=0, success=True, steps=1000):
    return Row(
        operation=operation,
        unit=unit,
        seed=seed,
        success=success,
        error=round(0.5 * arithmetic_ops.success_threshold(operation), 6),
        sparsity_error=1e-5,
        steps=steps,
        seconds=2.0,
    )


@pytest.mark.parametrize("unit", training.UNITS)
def test_every_unit_can_be_trained(unit):
    sent = []
    job = Job("mul", unit, TINY)
    training.train(job, lambda kind, rows: sent.extend(rows))
    assert [(row.unit, row.seed) for row in sent] == [(unit, 0), (unit, 1)]
    for row in sent:
        assert row.steps == 20 and not row.success
        assert np.isfinite(row.error) and row.error > 1
        assert 0 < row.sparsity_error <= 0.5
    assert sent[0].error != sent[1].error


def test_an_exact_solution_is_a_success():
    """What training could find at best: the network computes the product."""
    model = training.build(Job("mul", "NMU", TINY), 100, 10.0, seed=0)
    x, y = arithmetic_ops.load("mul", "extrapolation")
    rng = np.random.default_rng(0)
    some = rng.uniform(1, 2, (300, 100)).astype("float32")
    a, b = arithmetic_ops.ArithmeticSettings().sums(some)
    weights = np.linalg.lstsq(some, np.hstack([a, b]), rcond=None)[0]
    model.get_layer("sums").kernel.assign(np.round(weights))
    model.layers[-1].kernel.assign(np.ones((2, 1)))
    error = np.mean((model.predict(x, verbose=0) - y) ** 2)
    assert error < arithmetic_ops.success_threshold("mul")


def test_exact_weights_are_aimed_at_where_they_are_known():
    for unit, regularized in (("NMU", True), ("NPU", False)):
        model = training.build(Job("mul", unit, TINY), 100, 10.0, seed=0)
        first, second = model.layers[-2:]
        assert first.kernel_regularizer.values == (-1.0, 0.0, 1.0)
        assert first.regularizer_warmup == (4, 8)
        assert (second.kernel_regularizer is not None) == regularized
    model = training.build(Job("mul", "Dense", TINY), 100, 10.0, seed=0)
    assert isinstance(model.layers[-1], keras.layers.Dense)
    assert isinstance(model.get_layer("sums"), layers.NAU)


def test_what_is_done_is_not_done_again(tmp_path):
    runs = Runs(tmp_path, TINY, Row)
    every = 6 * len(arithmetic_ops.OPERATIONS) + 3 * 2
    assert len(training.jobs(TINY, runs.rows)) == every
    runs.add([made_up(seed=0), made_up(seed=1)])
    del runs
    again = Runs(tmp_path, TINY, Row)
    assert again.rows == [made_up(seed=0), made_up(seed=1)]
    left = training.jobs(TINY, again.rows)
    assert len(left) == every - 1 and Job("mul", "NMU", TINY) not in left
    del again
    other = dataclasses.replace(TINY, steps=30)
    with pytest.raises(UserError, match="with other settings"):
        Runs(tmp_path, other, Row)


def test_page():
    rows = [
        made_up(seed=0, steps=1000),
        made_up(seed=1, steps=3000),
        made_up("NAC", success=False),
    ]
    page = report.page(rows, TINY, "Made up.")
    assert "| unit | s + t | s − t | s t | s / t | s² | √s |" in page
    # Half of our threshold is twice the published one.
    assert "| NMU | – | – | **2**, 0 (2,000) | – | – | – |" in page
    assert "| published | 1.6e-05 | 1.4e-08 | 0.16 |" in page
    assert "| NAC | – | – | 0 | – | – | – |" in page
    assert "| NMU | – | – | 0.5 | – | – | – |" in page
