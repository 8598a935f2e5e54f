import pytest

from examples import search_digits

pytestmark = [
    # What is trained is compared on every backend elsewhere.
    pytest.mark.backends("torch"),
    # KerasTuner 1.4.8 calls what Python renamed long ago.
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
]


def test_command(capsys, tmp_path):
    picture = tmp_path / "search.png"
    search_digits.main(["tuning", "--trials", "3", "--picture", str(picture)])
    assert "3 trials in" in capsys.readouterr().out
    assert picture.stat().st_size > 1000
