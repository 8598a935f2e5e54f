import pandas as pd
import pytest

from tuning.reporting.published import KEY
from tuning.reporting.published import Cause
from tuning.reporting.published import compare
from tuning.reporting.published import summary


def row(accuracy, network="dense", inputs="random", activation="relu", **more):
    return {
        "task": "dot",
        "inputs": inputs,
        "network": network,
        "depth": 2,
        "activation": activation,
        "accuracy": accuracy,
        "loss": 0.1,
        "learning_rate": 0.01,
        "steps": 1000,
        **more,
    }


CASES = [
    (row(0.5), row(0.45), Cause.NONE),
    (row(0.9, "dense_residual"), row(0.2, "dense_residual"), Cause.SKIPS),
    (row(0.0), row(0.9), Cause.SATURATED),
    (row(0.5), row(0.9, steps=2000), Cause.STEPS),
    (row(0.5), row(0.2, learning_rate=0.1), Cause.RATE),
    (row(0.5), row(0.9), Cause.OPEN),
]


@pytest.mark.parametrize(("ours", "theirs", "cause"), CASES)
def test_cause(tmp_path, ours, theirs, cause):
    path = tmp_path / "published.csv"
    pd.DataFrame([theirs]).to_csv(path, index=False)
    both = compare(pd.DataFrame([ours]), path)
    assert both.cause.tolist() == [str(cause)]
    counts = summary(both).set_index("cause").cells
    assert counts[str(cause)] == 1


def test_inputs_that_were_drawn_otherwise(tmp_path):
    ours = [row(0.9, inputs="random_pos"), row(0.4, inputs="random")]
    path = tmp_path / "published.csv"
    pd.DataFrame([row(0.42, inputs="random_pos")]).to_csv(path, index=False)
    both = compare(pd.DataFrame(ours), path)
    assert both.cause.tolist() == [str(Cause.INPUTS)]


def test_the_last_of_repeated_cells_counts(tmp_path):
    path = tmp_path / "published.csv"
    pd.DataFrame([row(0.1), row(0.5)]).to_csv(path, index=False)
    both = compare(pd.DataFrame([row(0.5), row(0.2)]), path)
    assert both.difference.tolist() == [0]


def test_errors(tmp_path):
    path = tmp_path / "published.csv"
    pd.DataFrame([row(0.1)]).drop(columns=["loss"]).to_csv(path, index=False)
    with pytest.raises(ValueError, match="Missing: loss"):
        compare(pd.DataFrame([row(0.5)]), path)
    pd.DataFrame([row(0.1, "other")]).to_csv(path, index=False)
    with pytest.raises(ValueError, match="no cell in common"):
        compare(pd.DataFrame([row(0.5)], columns=[*KEY, "accuracy"]), path)
