import dataclasses
import hashlib
import itertools

import numpy as np
import pytest

from experiments.characters import __main__ as command
from experiments.characters import networks
from experiments.characters import report
from experiments.characters import text
from experiments.characters import training
from experiments.characters.training import Job
from experiments.characters.training import Row
from experiments.characters.training import Settings
from tuning.errors import UserError

TINY = Settings(
    learning_rates=(1e-2,),
    seeds=(0, 1),
    steps=3,
    batch_size=2,
    length=8,
    test_length=10,
)
SOURCE = text.split("the cat sat on the mat. " * 20)


def test_split():
    found = text.split("abcdefghij" * 2)
    assert found.characters == "abcdefghij"
    assert found.train.tolist() == [*range(10), *range(6)]
    assert found.validation.tolist() == [6, 7]
    assert found.test.tolist() == [8, 9]


def test_topics_repeat_no_paragraph():
    paragraphs = text.topics_text().split("\n\n")
    assert len(paragraphs) > 1000
    stripped = [each.strip() for each in paragraphs]
    assert len({*stripped}) == len(stripped)


def test_another_text_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(text, "topics_text", lambda: "Another text. " * 50)
    with pytest.raises(UserError, match=r"that of Python 3\.11\.7's"):
        text.load()
    with pytest.raises(SystemExit, match="This Python has another"):
        command.main(["--quick", "--directory", str(tmp_path)])


def test_the_text_that_was_frozen_is_taken(monkeypatch):
    frozen = hashlib.sha256(b"abc" * 20).hexdigest()
    monkeypatch.setattr(text, "SHA256", frozen)
    monkeypatch.setattr(text, "topics_text", lambda: "abc" * 20)
    assert text.load().characters == "abc"


def test_unigram():
    source = dataclasses.replace(
        SOURCE,
        characters="ab",
        train=np.array([0, 0, 0, 0, 0, 1]),
        test=np.array([0, 1]),
    )
    # Each character counts once more than it is there.
    expected = -(np.log2(6 / 8) + np.log2(2 / 8)) / 2
    assert text.unigram_bits(source) == pytest.approx(expected)


def test_bigram_by_hand():
    source = dataclasses.replace(
        SOURCE,
        characters="ab",
        train=np.array([0, 1, 0, 0, 1]),
        test=np.array([0, 0]),
    )
    # Without context: a 3 times, b twice, two kinds, each likely by a half.
    a = (3 + 2 * 0.5) / (5 + 2)
    # After b: a once, one kind. After a: b twice, a once, two kinds.
    after_b = (1 + 1 * a) / (1 + 1)
    after_a = (1 + 2 * a) / (3 + 2)
    assert text.ngram_bits(source, order=2) == pytest.approx(
        -(np.log2(after_b) + np.log2(after_a)) / 2
    )


def test_probabilities_of_all_continuations_add_up_to_one():
    count = len(SOURCE.characters)
    for length in (1, 2):
        ends = itertools.product(range(count), repeat=length)
        bits = [
            length
            * text.ngram_bits(dataclasses.replace(SOURCE, test=np.array(end)))
            for end in ends
        ]
        assert sum(2.0 ** -np.array(bits)) == pytest.approx(1)


def test_windows():
    codes = np.arange(100, 124)
    x, y = training.windows(codes, 10)
    assert x[:, 0].tolist() == [100, 110] and x.shape == (2, 10)
    np.testing.assert_array_equal(y, x + 1)
    x, y = training.random_windows(codes, TINY)
    assert x.shape == (6, 8) and x.min() >= 100 and y.max() <= 123
    np.testing.assert_array_equal(y, x + 1)
    np.testing.assert_array_equal(x - x[:, :1], np.tile(np.arange(8), (6, 1)))


@pytest.mark.parametrize("name", networks.WIDTHS)
def test_networks_have_equal_parameters(name):
    model = networks.build(name, 103)
    assert model.count_params() == pytest.approx(50_000, rel=0.05)
    assert model.output_shape == (None, None, 103)


@pytest.mark.parametrize("name", networks.WIDTHS)
def test_trains(name, monkeypatch):
    monkeypatch.setattr(training, "load", lambda: SOURCE)
    monkeypatch.setitem(networks.WIDTHS, name, 5)
    sent = []
    settings = dataclasses.replace(TINY, rate_seeds=TINY.seeds)
    training.train(Job(name, settings), lambda kind, rows: sent.extend(rows))
    assert [(row.learning_rate, row.seed) for row in sent] == [
        (1e-2, 0),
        (1e-2, 1),
    ]
    for row in sent:
        # About as many as if all characters were equally likely.
        assert row.bits == pytest.approx(np.log2(11), rel=0.3)
        assert row.validation_loss == pytest.approx(row.bits, rel=0.2)
    assert name not in [job.network for job in training.jobs(settings, sent)]


def test_report(tmp_path):
    rows = [
        Row(network, 1e-2, seed, 1000, 3.0, 3 - 0.5 * index + 1e-4 * seed, 1.0)
        for index, network in enumerate(networks.WIDTHS)
        for seed in TINY.seeds
    ]
    rows += training.baselines(SOURCE)
    rows[-1] = dataclasses.replace(rows[-1], bits=2.2)
    report.write(rows, TINY, "Made up.", tmp_path)
    page = (tmp_path / "report.md").read_text()
    assert "LSTM, low-rank output needs the fewest bits" in page
    assert "Better than LSTM: LSTM, low-rank output (-1.500 ± 0.000)" in page
    assert "below the latter are multiplicative LSTM, LSTM, low-rank" in page
    assert "| 5-gram | – | – | – | 2.200 |" in page
    assert (tmp_path / "characters.png").stat().st_size > 10_000
