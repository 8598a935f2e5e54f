import pandas as pd
import pytest

from tuning.reporting.published import Cause
from tuning.reporting.published import causes
from tuning.reporting.published import close
from tuning.reporting.published import compare


def cell(accuracy, network="dense", inputs="random", **more):
    return {
        "task": "dot",
        "inputs": inputs,
        "network": network,
        "depth": 2,
        "activation": "relu",
        "accuracy": accuracy,
        "learning_rate": "0.01",
        "steps": 1000,
        **more,
    }


def published(accuracy, **more):
    return {
        **cell(accuracy, learning_rate=0.01),
        "finished": "2018-11-02",
        **more,
    }


@pytest.mark.parametrize(
    ("ours", "theirs", "cause"),
    [
        (cell(0.5), published(0.45), Cause.NONE),
        (
            cell(0.9, "dense_residual"),
            published(0.2, network="dense_residual"),
            Cause.SKIPS,
        ),
        (cell(0.0), published(0.9), Cause.SATURATED),
        (cell(0.5), published(0.9, steps=2000), Cause.STEPS),
        (cell(0.5), published(0.2, learning_rate=0.1), Cause.RATE),
        (cell(0.5), published(0.9), Cause.OPEN),
        # Two seeds, two rates.
        (
            cell(0.5, learning_rate="0.01, 0.1"),
            published(0.2, learning_rate=1.0),
            Cause.OPEN,
        ),
    ],
)
def test_cause(ours, theirs, cause):
    both = compare(pd.DataFrame([ours]), pd.DataFrame([theirs]))
    assert both.cause.tolist() == [str(cause)]
    assert causes(both).set_index("cause").cells[str(cause)] == 1


def test_a_cell_that_has_the_published_skips_itself():
    ours = [cell(0.9, "dense_residual"), cell(0.21, "dense_residual", "random")]
    theirs = [published(0.2, network="dense_residual")]
    for mine, expected, near in zip(
        ours, (Cause.OPEN, Cause.NONE), (0, 1), strict=True
    ):
        both = compare(pd.DataFrame([mine]), pd.DataFrame(theirs), True)
        assert both.cause.tolist() == [str(expected)]
        assert close(both) == near


def test_inputs_that_were_drawn_otherwise():
    ours = [cell(0.9, inputs="random_pos"), cell(0.4, inputs="random")]
    theirs = [published(0.42, inputs="random_pos")]
    both = compare(pd.DataFrame(ours), pd.DataFrame(theirs))
    assert both.cause.tolist() == [str(Cause.INPUTS)]


def test_a_table_without_steps_and_rates():
    theirs = pd.DataFrame([published(0.9)]).drop(
        columns=["learning_rate", "steps"]
    )
    both = compare(pd.DataFrame([cell(0.5)]), theirs)
    assert both.cause.tolist() == [str(Cause.OPEN)]
