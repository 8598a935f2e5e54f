import dataclasses
import html.parser
import json
import threading
import time

import keras
import numpy as np
import pytest

import tuning
from test_tuning.test_cards import their_layers
from tuning.cards import known
from tuning.cards import make_known
from tuning.cards import report
from tuning.cards.asking import Settings
from tuning.cards.asking import groups
from tuning.cards.asking import questions
from tuning.cards.subjects import LayerError
from tuning.cards.subjects import subject_of
from tuning.networks.layers import LAYERS

TINY = Settings(
    width=4,
    steps=8,
    image_steps=4,
    checks=2,
    learning_rates=(1e-2,),
    seeds=1,
    train_records=64,
    image_records=64,
    records=32,
)


@pytest.fixture(autouse=True)
def few_questions(monkeypatch):
    """Asks one group, to save time."""
    for module in (report, make_known):
        monkeypatch.setattr(module, "groups", lambda kind: groups(kind)[:1])
    monkeypatch.setattr("tuning.cards.running.TIMED_STEPS", 10)
    monkeypatch.setattr("tuning.cards.running.TURNS", 1)


def local(layer):
    """Returns a class that only this process knows, so it is asked here."""

    class Local(layer):
        pass

    return Local


def card_of(layer, **kwargs):
    return tuning.report_card(
        local(layer), settings=TINY, backends=(), **kwargs
    )


class Reader(html.parser.HTMLParser):
    """Collects the text of a page and checks that its tags are closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.words, self.addresses = [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.addresses += [v for k, v in attributes if k in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_a_card_is_written_in_four_forms(tmp_path):
    card = card_of(their_layers.Scaled, budget=None)
    asked = {each.key for each in groups("vectors")[0].questions().values()}
    (layer,) = card.layers
    assert set(layer["scores"]) == asked
    assert layer["cost"]["parameters"] > 0
    assert layer["cost"]["step_time"] > 0
    assert layer["facts"][keras.config.backend()]["agrees"] == "yes"
    assert card.table["Local"].notna().sum() == len(asked)
    card.save(tmp_path)
    read = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert read["layers"][0]["scores"] == layer["scores"]
    page = Reader((tmp_path / "card.html").read_text(encoding="utf-8"))
    assert layer["verdict"] in page.words
    assert page.addresses == []  # self-contained
    text = (tmp_path / "card.md").read_text(encoding="utf-8")
    assert f"**Local**: {layer['verdict']}" in text
    assert (tmp_path / "card.png").read_bytes().startswith(b"\x89PNG")
    assert layer["verdict"] in card._repr_html_()
    assert repr(card) == f"Local: {layer['verdict']}"


def test_says_what_there_was_no_time_for():
    started, before = time.monotonic(), set(threading.enumerate())
    card = card_of(their_layers.Scaled, budget=0.1)
    assert time.monotonic() - started < 30
    # What was too late still runs, and would disturb other tests.
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
    (layer,) = card.layers
    assert layer["left out"]
    assert any("Left out: " in note for note in card.notes(layer))


def test_there_is_no_card_of_nothing():
    why = report._why_there_is_none
    late, error = {"late": "no time"}, {"error": "it hangs"}
    answered = report.Found(answers=[{}])
    assert why("Mine", report.Found(), [error, {}]) == "it hangs"
    assert why("Mine", report.Found(), [late, error]) == "it hangs"
    assert why("Mine", report.Found(), [late, late]).startswith(
        "There was no time to ask anything of Mine"
    )
    assert why("Mine", answered, [late, late]) is None
    assert why("Mine", report.Found(), [{}, error]) is None


def test_a_layer_without_weights_has_a_card():
    card = tuning.report_card(
        [local(keras.layers.Add)], budget=None, settings=TINY, backends=()
    )
    scores = card.layers[0]["scores"]
    assert scores["elementwise_add/many_hot"] == 1.0
    assert "step_time" not in card.layers[0]["cost"]


def test_nan_is_no_success():
    card = card_of(their_layers.NotANumber, budget=None)
    (layer,) = card.layers
    assert not layer["left out"]
    assert set(layer["scores"].values()) == {0.0}
    facts = layer["facts"][keras.config.backend()]
    assert facts["finite"].startswith("NaN")
    note = "Its outputs are NaN or infinity on random numbers."
    assert card.notes(layer)[0] == note


def test_a_broken_layer_has_none():
    with pytest.raises(LayerError, match="my own mistake"):
        card_of(their_layers.Raises)


def test_refuses_a_budget_that_is_none():
    with pytest.raises(ValueError, match="Received: budget=-1"):
        tuning.report_card(keras.layers.Dense, budget=-1)


def test_compares_outputs_between_backends():
    compared = report._compare(
        {
            "jax": {"outputs": [[1.0, float("nan")]]},
            "torch": {"outputs": [[1.0 + 1e-6, float("nan")]]},
            "tensorflow": {"outputs": [[1.5, float("nan")]]},
        }
    )
    assert compared["torch"]["agrees"] == "yes"
    assert compared["tensorflow"]["agrees"] == "differs by 0.2"


def test_says_where_a_layer_hangs():
    class Ended:
        returncode = 1
        stderr = (
            "Timeout (0:00:30)!\n"
            "Thread 0x00007f (most recent call first):\n"
            '  File "/home/somebody/layers.py", line 12 in call\n'
            f'  File "{keras.__file__}", line 3 in __call__\n'
        )

    subject = report.subject_of(keras.layers.Dense)
    text = report._why_it_died(subject, Ended)
    assert text.startswith("Dense hangs")
    assert '"/home/somebody/layers.py", line 12 in call' in text
    assert "keras" not in text.partition("\n")[2]


@pytest.mark.backends("torch")
def test_known_layers_are_whole():
    rows = known.known_layers()
    mine = json.loads(json.dumps(dataclasses.asdict(Settings())))
    assert rows["made"]["settings"] == mine
    for layer in rows["layers"]:
        keys = {each.key for each in questions(layer["kind"])}
        assert set(layer["scores"]) == keys
        assert all(
            len(each) == mine["seeds"] for each in layer["seeds"].values()
        )
        assert np.isfinite(list(layer["scores"].values())).all()
    names = {each["name"] for each in rows["layers"]}
    everything = [*make_known.OTHERS, *LAYERS, *make_known.PERCEPTRONS]
    everything = [subject_of(text) for text in everything]
    assert names <= {each.name for each in everything}
    # Some of these have no row yet: `python -m tuning.cards.make_known`.
    late = "kmul.layers.vision"
    assert names >= {
        each.name
        for each in everything
        if not each.layer.__module__.startswith(late)
    }


@pytest.mark.backends("torch")
def test_known_layers_are_added_to_those_that_are_there(tmp_path, monkeypatch):
    monkeypatch.setattr("tuning.study.workers.processors", lambda: [0])
    path = tmp_path / "known.json"
    path.write_text('{"made": {}, "layers": []}')
    make_known.ask_all([subject_of(local(their_layers.Scaled))], TINY, path)
    (layer,) = json.loads(path.read_text(encoding="utf-8"))["layers"]
    asked = {each.key for each in groups("vectors")[0].questions().values()}
    assert set(layer["seeds"]) == asked
    assert layer["cost"]["asked_parameters"] == TINY.width

    def names_with(name, settings):
        row = {
            "name": name,
            "kind": "vectors",
            "cost": {},
            "answers": [],
        }
        made = {"settings": dataclasses.asdict(settings)}
        make_known.merge(made, row, path)
        found = json.loads(path.read_text(encoding="utf-8"))
        return [each["name"] for each in found["layers"]]

    assert names_with("Another", TINY) == ["Another", "Local"]
    assert names_with("Local", TINY) == ["Another", "Local"]
    # Those that were asked something else make way.
    assert names_with("Last", Settings()) == ["Last"]


def test_the_perceptron_beside_a_layer_has_about_as_many_parameters():
    def row(name, parameters):
        return {"name": name, "cost": {"asked_parameters": parameters}}

    rows = [row("mlp(hidden_units=16)", 800), row("mlp(hidden_units=32)", 1584)]
    like = known.perceptron_like
    assert like(row("mine", 1000), [*rows, row("other", 1000)]) is rows[0]
    assert like(row("mine", 2000), rows) is rows[1]
    assert like(row("mine", 3000), rows) is None
    assert like(row("mine", 0), rows) is None
    assert like(rows[0], rows) is None
