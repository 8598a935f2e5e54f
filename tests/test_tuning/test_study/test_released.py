"""What the article's code did, in small."""

import csv
import pathlib

import numpy as np
import pytest

from tuning import search
from tuning.study.released import is_over

pytestmark = [
    pytest.mark.backends("torch"),
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
]


@pytest.mark.parametrize(
    ("accuracies", "over"),
    [
        ([0.5], False),
        ([0.5, 0.99], True),
        ([0.5, 0.3], False),
        ([0.5, 0.4, 0.3], False),
        ([0.5, 0.3, 0.2], True),
        ([0.5, 0.3, 0.6, 0.1], True),
    ],
)
def test_when_a_search_of_rates_ends(accuracies, over):
    assert is_over(accuracies, target=0.99) == over


@pytest.fixture
def row(options, tmp_path, monkeypatch):
    """A row of a residual network on inputs that should be positive."""
    monkeypatch.setattr("tuning.study.workers.processors", lambda: [0])

    def run(*arguments):
        options[options.index("--directory") + 1] = str(tmp_path / arguments[1])
        assert search.main([*options, "--width", "8", *arguments]) == 0
        path = pathlib.Path(tmp_path, arguments[1], "results.csv")
        with open(path, newline="") as file:
            (found,) = csv.DictReader(file)
        return found

    return run


def test_a_network_is_tested_without_its_skips_on_other_inputs(row):
    arguments = [
        *("--task", "elementwise_add", "--network", "dense_residual"),
        *("--activation", "selu", "--depth", "3", "--learning-rate", "0.01"),
    ]
    as_released = row(
        "--protocol", "released", "--inputs", "random_pos", *arguments
    )
    assert as_released["protocol"] == "released"
    with_skips = float(as_released["accuracy_with_skips"])
    assert with_skips != float(as_released["accuracy"])
    # 16 · 256 + 256, 256 · 256 + 256, 256 · 8 + 8.
    assert as_released["parameters"] == "72200"
    # The labels of the inputs that its name stands for lie between 0 and 2.
    article = row("--protocol", "article", "--inputs", "random_pos", *arguments)
    assert article["accuracy_with_skips"] == ""
    assert not np.isclose(
        float(as_released["constant_accuracy"]),
        float(article["constant_accuracy"]),
    )


def test_models_of_it_are_not_saved(options, capsys):
    arguments = [*options, "--protocol", "released", "--save-best"]
    assert search.main(arguments) == 2
    assert "--save-best saves no models" in capsys.readouterr().err
