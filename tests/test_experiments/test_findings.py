"""The page of findings says what the committed rows say."""

import pathlib

import pandas as pd
import pytest

from experiments.findings import article
from experiments.findings import dot
from experiments.findings import page
from experiments.findings import rows
from experiments.findings import xor
from experiments.findings.claim import Verdict
from experiments.findings.claim import by_sign
from experiments.findings.claim import mean
from experiments.findings.claim import share
from experiments.neural_arithmetic.threshold import published_threshold

DOCS = pathlib.Path(__file__).parents[2] / "docs"


def test_page_follows_from_the_rows():
    assert (DOCS / "findings.md").read_text(encoding="utf-8") == page.text()


def test_another_row_makes_another_page(monkeypatch):
    changed = rows.distinct().copy()
    changed.loc[changed.family == "dense_residual", "accuracy"] = 0.0
    monkeypatch.setattr(rows, "distinct", lambda: changed)
    claim = article.residual_is_worst()
    assert claim.verdict != Verdict.REFUTED
    assert claim.evidence not in (DOCS / "findings.md").read_text()


def test_equal_functions_are_counted_once():
    pairs = rows.distinct()[rows.PAIR].drop_duplicates()
    assert len(pairs) == 22
    labels = rows.grid().pivot_table(
        index=rows.PAIR, columns="network", values="loss"
    )
    for pair, same in rows.SAME.items():
        pd.testing.assert_series_equal(
            labels.loc[pair], labels.loc[same], check_names=False, rtol=1e-3
        )


def test_shares_have_wilsons_interval():
    assert share(98, 100) == "98 of 100 [93%, 99%]"


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([0.1, 0.2, 0.15], Verdict.SUPPORTED),
        ([-0.1, -0.2, -0.15], Verdict.REFUTED),
        ([-0.1, 0.2, 0.15], Verdict.UNDECIDED),
    ],
)
def test_verdict_follows_from_the_interval(values, verdict):
    assert by_sign(mean(values)) == verdict


@pytest.mark.parametrize(
    ("operation", "threshold"), [("add", 1.6e-5), ("mul", 0.16)]
)
def test_published_thresholds(operation, threshold):
    found = published_threshold(operation)
    assert found == pytest.approx(threshold, rel=0.05)


def thorough_rows(**accuracies):
    """Rows of XOR, an accuracy for each seed of each family."""
    return pd.DataFrame(
        [
            {
                "task": "logical_xor",
                "inputs": "many_hot",
                "family": family,
                "network": f"{family} 2 tanh",
                "seed": seed,
                "accuracy": accuracy,
                "steps": 100,
            }
            for family, values in accuracies.items()
            for seed, accuracy in enumerate(values)
        ]
    )


HIGH, MIDDLE, LOW = ([x + 0.001 * i for i in range(5)] for x in (0.99, 0.5, 0))


@pytest.mark.parametrize(
    ("dense", "residual", "untried", "verdict"),
    [
        (MIDDLE, LOW, [], Verdict.SUPPORTED),
        (LOW, MIDDLE, [], Verdict.REFUTED),
        (MIDDLE, MIDDLE, [], Verdict.UNDECIDED),
        # Nothing is concluded while a network has fewer seeds, or none.
        (LOW[:4], MIDDLE, [], Verdict.UNDECIDED),
        (MIDDLE, LOW, ["dense 8 relu"], Verdict.UNDECIDED),
    ],
)
def test_order_on_xor(monkeypatch, dense, residual, untried, verdict):
    found = thorough_rows(
        multiply=HIGH,
        dense=dense,
        dense_residual=residual,
        multiply_simple=[-1.0 - x for x in LOW],
    )
    monkeypatch.setattr(rows, "thorough", lambda: found)
    grid = rows.grid()
    networks = [*found.network.unique(), *untried]
    grid = grid.groupby("network").head(1).head(len(networks))
    monkeypatch.setattr(rows, "grid", lambda: grid.assign(network=networks))
    claim = xor.order()
    assert claim.verdict == verdict
    assert "learned from 5 of 5 [57%, 100%] seeds" in claim.evidence


def test_how_much_more_often_one_is_greater():
    assert xor.delta([3, 4], [1, 2]) == 1
    assert xor.delta([1, 4], [2, 3]) == 0


@pytest.mark.parametrize(
    ("accuracies", "verdict"),
    [
        ([1.0, 1.0, 0.2], Verdict.REFUTED),
        ([1.0, 0.2, 0.2], Verdict.UNDECIDED),
        ([1.0, 1.0], Verdict.UNDECIDED),
    ],
)
def test_a_network_that_learns_has_not_too_many_parameters(
    monkeypatch, accuracies, verdict
):
    found = pd.DataFrame({"accuracy": accuracies}).assign(
        task="dot", family="multiply", width=128
    )
    monkeypatch.setattr(rows, "widths", lambda: found)
    assert dot.too_many_parameters().verdict == verdict
