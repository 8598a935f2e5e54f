import dataclasses

import numpy as np
import pytest

from experiments.layer_attention import claims
from experiments.layer_attention import figures
from experiments.layer_attention import report
from experiments.layer_attention.__main__ import missing
from experiments.layer_attention.networks import NETWORKS
from experiments.layer_attention.networks import build
from experiments.layer_attention.settings import QUICK
from experiments.layer_attention.settings import Job
from experiments.layer_attention.settings import Run
from experiments.layer_attention.statistics import difference
from experiments.layer_attention.statistics import estimate
from experiments.layer_attention.training import train
from experiments.runs import Runs


def test_estimate():
    # By hand: mean 2, standard error 1/√3, t for 2 degrees of freedom 4.3027.
    found = estimate([1, 2, 3])
    assert found.mean == 2
    assert found.margin == pytest.approx(4.3027 / 3**0.5, rel=1e-4)
    assert difference([1, 2, 3], [0, 1, 2]).margin == 0


@pytest.mark.parametrize("name", ["sum", "recurrent", "self + transform"])
def test_networks_use_the_budget(name):
    options = {
        "image_shape": (10, 10, 1),
        "classes": 14,
        "depth": 3,
        "filters": 4,
        "strides": [2, 1, 1],
    }
    network = NETWORKS[name]
    model, units = build(network, 9000, **options)
    used = model.count_params()
    assert used <= 9000
    assert network.make(units, **options).count_params() == used
    assert network.make(units + 1, **options).count_params() > 9000
    with pytest.raises(ValueError, match="has as few as 10 parameters"):
        build(NETWORKS[name], 10, **options)


def made_up(network, depth, seed, as_claimed):
    """A run that shows what the claims say, or the opposite."""
    attended = NETWORKS[network].mechanism is not None
    sign = 1 if as_claimed else -1
    noise = 0.001 * seed
    position = 0.8 - sign * 0.05 * (depth - 2) * (not attended)
    accuracy = 0.6 + sign * 0.1 * (network == "concat") + noise
    corrupted = accuracy * (0.9 if attended == as_claimed else 0.2)
    steps = list(range(0, 101, 10))
    # The share of the last layer falls at first, then rises.
    last = np.array(
        [0.5, *(0.5 + sign * x for x in np.linspace(-0.3, 0.3, 10))]
    )
    shares = np.zeros((11, depth))
    shares[:, -1], shares[:, 0] = last, 1 - last
    first = 10.0 ** (sign if attended else -sign)
    gradient = np.tile([first, *[1.0] * (depth - 1)], (11, 1))
    explicit = NETWORKS[network].mechanism in ("static", "self")
    return Run(
        network=network,
        depth=depth,
        seed=seed,
        units=10,
        parameters=1000,
        learning_rate=0.003,
        step_milliseconds=1.0,
        seconds=1.0,
        accuracy=accuracy,
        digit_accuracy=0.7,
        position_accuracy=position + noise * (depth == 2),
        corrupted=[corrupted] * depth,
        recovered=corrupted,
        steps=steps,
        gradient=gradient.tolist(),
        contribution=shares.tolist() if attended else None,
        attention=shares.tolist() if explicit else None,
    )


@pytest.mark.parametrize(
    "as_claimed, verdict", [(True, "seen"), (False, "not seen")]
)
def test_verdicts(as_claimed, verdict, tmp_path):
    runs = [
        made_up(network, depth, seed, as_claimed)
        for network in NETWORKS
        for depth in (2, 4)
        for seed in (0, 1, 2)
    ]
    answers = claims.answers(claims.Runs(runs))
    assert [answer.verdict for answer in answers] == [verdict] * 5
    report.write(runs, QUICK, "Made up.", tmp_path)
    page = (tmp_path / "report.md").read_text()
    assert page.count(f"Verdict: **{verdict}**") == 5
    assert page.count("| yes |" if as_claimed else "| no |") == 65
    assert ("| no |" if as_claimed else "| yes |") not in page
    assert "too few seeds" in page
    assert len(list(tmp_path.glob("*.png"))) == 5


def test_layers_that_are_off_stretch_no_mean():
    """A gradient of zero is left out, in whole or in part."""
    runs = [
        made_up(network, 2, seed, True)
        for network in ("plain", "sum", "static")
        for seed in (0, 1, 2)
    ]
    for run in runs:
        if run.network != "plain":
            run.gradient[0][-1] = 0.0
        if run.network == "static":
            run.gradient = [[first, 0.0] for first, _ in run.gradient]
    found = claims.Runs(runs)
    np.testing.assert_allclose(claims.early_gradient(found, "sum")[:, -1], 0)
    assert np.isnan(claims.early_gradient(found, "static")[:, -1]).all()
    gradients = claims.gradients_reach_early_layers(found)
    ratio, itself = (part.findings[-1] for part in gradients.parts)
    assert np.isnan(ratio.estimates[0].mean) and not ratio.seen
    assert itself.estimates[0].mean == 2
    left, right = figures.gradients(found).axes
    for axes in (left, right):
        low, high = axes.get_ylim()
        assert 1e-3 < low < high < 1e3


TINY = dataclasses.replace(
    QUICK,
    steps=20,
    recovery_rounds=1,
    round_steps=2,
    measures=2,
    batch_size=4,
    canvas_size=12,
    position_cells=3,
    budget=20_000,
)


def test_training():
    sent = []
    train(
        Job("static", 2, (0, 0), TINY, learning_rate=3e-3),
        lambda kind, rows: sent.extend(rows),
    )
    first, second = sent
    # The same seed gives the same run, though the second reuses the model.
    assert first.accuracy == second.accuracy
    np.testing.assert_allclose(first.gradient, second.gradient, rtol=1e-4)
    np.testing.assert_allclose(first.corrupted, second.corrupted)
    assert first.steps == [0, 10, 20]
    np.testing.assert_allclose(first.attention[0], 0.5)
    assert np.shape(first.contribution) == (3, 2)
    assert np.shape(first.gradient) == (3, 2)
    assert 0 <= first.accuracy <= first.digit_accuracy <= 1


def test_the_best_learning_rate_is_chosen():
    # With the first nothing is learned, the last is far too high.
    settings = dataclasses.replace(
        TINY, learning_rates=(1e-9, 3e-3, 100.0), rate_steps=20
    )
    sent = []
    train(Job("plain", 2, (0,), settings), lambda kind, rows: sent.extend(rows))
    assert [run.learning_rate for run in sent] == [3e-3]


def test_resumes(tmp_path):
    run = made_up("static", 2, 1, True)
    Runs(tmp_path, QUICK, Run).add([run, made_up("plain", 5, 0, True)])
    runs = Runs(tmp_path, QUICK, Run).rows
    # The curves are read as they were written.
    assert len(runs) == 2 and runs[0] == run
    jobs = missing(runs, QUICK)
    assert len(jobs) == 2 * len(NETWORKS)
    left = {(job.network, job.depth): job for job in jobs}
    assert left["static", 2].seeds == (0,)
    assert left["static", 2].learning_rate == run.learning_rate
    assert left["plain", 5].seeds == (1,)
    assert left["self", 5].learning_rate is None
