"""The answers in READMEs are those of the committed rows."""

import dataclasses
import json

import pytest

from experiments import answers
from experiments import rates


@pytest.fixture(params=answers.EXPERIMENTS)
def name(request):
    return request.param


def settings_of(name):
    return answers.EXPERIMENTS[name][1].Settings()


def groups(name):
    """The committed rows of each network."""
    found = {}
    for row in answers.committed_rows(name):
        key = tuple(
            getattr(row, each)
            for each in ("network", "fusion", "equal")
            if hasattr(row, each)
        )
        found.setdefault(key, []).append(row)
    return found


def test_readme_follows_from_the_rows(name):
    readme = answers.ROOT / name / "README.md"
    assert readme.read_text("utf-8") == answers.readme(name)


def test_another_row_makes_another_answer(name, monkeypatch):
    before = answers.readme(name)
    rows = answers.committed_rows(name)
    field = {"conditioning": "explained"}[name]
    rows = [
        dataclasses.replace(row, **{field: getattr(row, field) / 2})
        for row in rows
    ]
    monkeypatch.setattr(answers, "committed_rows", lambda name: rows)
    assert answers.readme(name) != before


def test_rows_are_of_these_settings(name):
    path = answers.ROOT / name / "results" / "settings.json"
    saved = json.loads(path.read_text("utf-8"))
    del saved["backend"]
    ours = json.loads(json.dumps(dataclasses.asdict(settings_of(name))))
    assert saved == ours


def test_no_rate_is_at_the_edge_and_all_seeds_are_there(name):
    settings = settings_of(name)
    for network, rows in groups(name).items():
        assert not rates.is_at_edge(rows, settings), network
        chosen = rates.chosen(rows, settings)
        assert tuple(row.seed for row in chosen) == settings.seeds
