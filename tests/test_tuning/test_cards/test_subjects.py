import keras
import pytest

from tuning.cards.subjects import LayerError
from tuning.cards.subjects import is_theirs
from tuning.cards.subjects import subject_of

MODULE = "test_tuning.test_cards.their_layers"


@pytest.mark.parametrize(
    "text, words",
    [
        ("no_such_package.it:Layer", "Cannot import 'no_such_package.it'"),
        (f"{MODULE}:Scale", "has no 'Scale'. Did you mean Scaled?"),
        (f"{MODULE}:NotALayer", "Received: the class NotALayer"),
        (f"{MODULE}:NUMBER", "Received: 3"),
        (f"{MODULE}:good_factory no_such=3", "argument 'no_such'"),
        (f"{MODULE}:Scaled 3", "should be like"),
        ("multiply_unt", "Did you mean multiply_unit?"),
    ],
)
def test_says_what_is_no_layer(text, words):
    with pytest.raises(LayerError) as caught:
        subject_of(text)
    assert words in str(caught.value)


def test_says_where_a_module_breaks(tmp_path, monkeypatch):
    path = tmp_path / "breaks_on_import.py"
    path.write_text("import os\n\nos.no_such_name\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(LayerError) as caught:
        subject_of("breaks_on_import:Layer")
    line, where, code = str(caught.value).splitlines()
    assert line.startswith("Cannot import 'breaks_on_import': AttributeError")
    assert str(path) in where and "line 3" in where
    assert code.strip() == "os.no_such_name"


def test_makes_subjects_of_all_that_stands_for_a_layer():
    text = subject_of(f"{MODULE}:Scaled factor=2.0")
    assert text.name == "Scaled(factor=2.0)"
    assert text.network.make(units=4).factor == 2.0
    assert subject_of(text.text) == text
    assert subject_of(keras.layers.Dense).kind == "vectors"
    assert subject_of(keras.layers.Conv2D).kind == "images"
    assert subject_of(f"{MODULE}:good_factory").network.make(units=4).units == 4
    instance = subject_of(keras.layers.Dense(3, activation="tanh"))
    assert instance.name == "Dense" and instance.text is None
    made = instance.network.make(units=5)
    assert made.units == 3 and made is not instance.network.make(units=5)


def test_a_class_that_only_this_process_knows_has_no_text():
    class Mine(keras.layers.Layer):
        pass

    assert subject_of(Mine).text is None


def test_tells_their_files_from_those_of_libraries():
    assert is_theirs("/home/somebody/my_layers.py")
    assert not is_theirs(keras.__file__)
    assert not is_theirs(pytest.__file__)
    assert not is_theirs("<frozen importlib._bootstrap>")
