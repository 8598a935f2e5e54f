import pytest

from experiments.whole_grid import __main__ as whole_grid


@pytest.mark.parametrize(
    "code, reported, exit_code",
    [(0, True, 0), (1, True, 1), (2, False, 2), (130, False, 130)],
)
def test_a_search_and_its_page(monkeypatch, code, reported, exit_code):
    searched, pages = [], []
    monkeypatch.setattr(
        whole_grid.search, "main", lambda given: searched.append(given) or code
    )
    monkeypatch.setattr(
        whole_grid.report, "main", lambda given: pages.append(given) or 0
    )
    arguments = ["--directory", "here", "--seeds", "2"]
    assert whole_grid.main(arguments) == exit_code
    assert searched == [[*whole_grid.ARGUMENTS, *arguments]]
    assert pages == ([["here"]] if reported else [])
