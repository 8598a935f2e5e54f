import keras
import pytest

from test_tuning.test_cards import their_layers
from tuning.cards import facts
from tuning.cards.subjects import LayerError
from tuning.cards.subjects import Subject
from tuning.cards.subjects import subject_of


def collect(layer, arguments=""):
    return facts.collect(Subject(layer.__name__, layer, arguments))


def test_a_good_layer_has_nothing_against_it():
    found = collect(their_layers.Scaled)
    outputs = found.pop("outputs")
    assert len(outputs) == facts.RECORDS
    assert found.pop("random") == "no"
    assert set(found.values()) == {"yes"}


def test_images():
    found = facts.collect(subject_of(keras.layers.Conv2D))
    assert found["finite"] == found["unknown sizes"] == "yes"


def test_finds_numbers_that_are_not_finite():
    assert collect(their_layers.NotANumber)["finite"].startswith("NaN")
    assert collect(their_layers.InfiniteGradient)["gradients"].startswith("NaN")


def test_finds_random_numbers_and_layers_without_weights():
    found = facts.collect(Subject("Dropout", keras.layers.Dropout, "rate=0.5"))
    assert found["random"] == "draws random numbers in training"
    found = facts.collect(subject_of(keras.layers.Multiply))
    assert found["random"] == "no" and found["gradients"] == "yes"


@pytest.mark.parametrize(
    "name, words",
    [
        ("Raises", "RuntimeError: "),
        ("TwoOutputs", "should return one output. Received: 2 of them"),
        ("WrongShape", "should return an output for each record"),
        ("bad_factory", "should return a Keras layer. Received: 8"),
    ],
)
def test_says_why_there_is_no_card(name, words):
    with pytest.raises(LayerError) as caught:
        collect(getattr(their_layers, name))
    assert words in str(caught.value)


def test_shows_the_line_that_raised():
    with pytest.raises(LayerError) as caught:
        collect(their_layers.Raises)
    line, where, code = str(caught.value).splitlines()
    assert line == "Raises: RuntimeError: my own mistake"
    assert 'their_layers.py", line' in where
    assert code.strip() == 'raise RuntimeError("my own mistake")'


def test_says_once_why_it_cannot_be_called():
    class Local(keras.layers.Layer):
        def call(self, x):
            raise RuntimeError("mine")

    with pytest.raises(LayerError) as caught:
        collect(Local)
    first, second, *_ = str(caught.value).splitlines()
    assert first == "Local cannot be called."
    assert second == "called on one vector or two vectors: RuntimeError: mine"


def test_says_that_an_argument_is_not_taken():
    with pytest.raises(LayerError, match="passed to Scaled: {'no_such': 3}"):
        collect(their_layers.Scaled, "no_such=3")
