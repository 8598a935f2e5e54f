import numpy as np
import pytest
from scipy import stats

from experiments.comparison import differences
from experiments.comparison import sentence

VALUES = {
    "plain": [0.1, 0.2, 0.3],
    # Paired by seed it is always better, though the means overlap.
    "better": [0.3, 0.4, 0.501],
    "other": [0.5, 0.0, 0.2],
    "worse": [0.0, 0.1, 0.201],
}


def test_differences_are_paired_and_corrected():
    found = differences(VALUES, "plain")
    assert {name: each.sign for name, each in found.items()} == {
        "better": 1,
        "other": 0,
        "worse": -1,
    }
    paired = np.subtract(VALUES["better"], VALUES["plain"])
    corrected = stats.ttest_1samp(paired, 0).confidence_interval(1 - 0.05 / 3)
    assert found["better"].mean - found["better"].margin == pytest.approx(
        corrected.low
    )
    alone = differences({k: VALUES[k] for k in ("plain", "other")}, "plain")
    assert alone["other"].margin < found["other"].margin
    more = differences(VALUES, "plain", comparisons=30)
    assert more["other"].margin > found["other"].margin


def test_two_seeds_of_one_difference_are_no_proof_of_a_difference():
    found = differences({"a": [0.0], "b": [1.0]}, "a")
    assert found["b"].sign == 0


def test_sentence():
    said = sentence(differences(VALUES, "plain"), "plain", ("over", "under"))
    assert said == (
        "Over plain: better (+0.200 ± 0.003); under plain: worse (-0.100 ± "
        "0.003); no difference from plain seen: other (+0.033 ± 1.420)."
    )
