import pytest

from tuning import card


def test_arguments_belong_to_the_layer_before_them():
    words = ["a.b:C", "rank=4", "axes=(1,2)", "a.b:C", "film"]
    assert card.layers_of(words) == ["a.b:C rank=4,axes=(1,2)", "a.b:C", "film"]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["rank=4"], "Expected a layer before the argument 'rank=4'"),
        (["no_such_package:Layer"], "Cannot import 'no_such_package'"),
        (["test_tuning.test_cards.their_layers:NotALayer"], "NotALayer"),
    ],
)
def test_bad_input_is_one_line(arguments, words, capsys):
    assert card.main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("card: error: ") and words in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["film", "--budget", "soon"]])
def test_options_that_are_wrong_end_it(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        card.main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("card: error: ")
