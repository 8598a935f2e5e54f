import pytest

from tuning import card
from tuning.cards import report
from tuning.study import workers


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


@pytest.mark.backends("torch")
def test_a_pipe_gets_whole_lines(monkeypatch, capsys):
    class Card:
        verdicts = {"Mine[0]": "Learns " + "this and " * 30}  # noqa: RUF012
        layers = ("mine",)

        def notes(self, layer):
            return ["Left out: " + "that and " * 30]

        def save(self, directory):
            return ["card.html"]

    monkeypatch.setattr(report, "report_card", lambda *args, **kwargs: Card())
    monkeypatch.setattr(workers, "hide_tensorflow", lambda: None)
    assert card.main(["film"]) == 0
    verdict, note, _ = capsys.readouterr().out.strip().splitlines()
    assert verdict.startswith("Mine[0]: Learns this") and len(verdict) > 200
    assert note.startswith("Left out: that") and len(note) > 200


@pytest.mark.parametrize("arguments", [[], ["film", "--budget", "soon"]])
def test_options_that_are_wrong_end_it(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        card.main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("card: error: ")
