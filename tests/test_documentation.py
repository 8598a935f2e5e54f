"""What the Markdown files point to is there."""

import importlib.util
import pathlib
import re

import jupytext
import nbformat
import pytest

import kmul

ROOT = pathlib.Path(__file__).parent.parent
# Whatever is in hidden folders, or in results, is not part of the project.
FILES = [
    path
    for path in sorted(ROOT.rglob("*.md"))
    if not path.relative_to(ROOT).parts[0].startswith((".", "results"))
]

NOTEBOOKS = sorted((ROOT / "docs" / "guides").glob("*.ipynb"))


def anchors(path):
    """Returns the names that a file's headings have in a link.

    `::: module.Name` stands for the docstring, whose heading has that name.
    """
    text = path.read_text("utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    } | {*re.findall(r"^::: (.*)$", text, re.MULTILINE)}


def missing_links(path):
    """Returns the relative links of a file that lead nowhere."""
    text = re.sub(
        r"```.*?```|`[^`\n]*`", "", path.read_text("utf-8"), flags=re.S
    )
    missing = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if ":" in link:
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    return missing


def missing_modules(path):
    """Returns the modules that a file runs with `python -m`, but are not."""
    names = re.findall(r"python -m ([\w.]+\w)", path.read_text("utf-8"))
    missing = []
    for name in sorted({*names}):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            spec = importlib.util.find_spec(f"{name}.__main__")
        if spec is None:
            missing.append(name)
    return missing


@pytest.mark.parametrize("path", FILES, ids=lambda x: str(x.relative_to(ROOT)))
def test_links_and_commands_lead_somewhere(path):
    assert missing_links(path) == []
    assert missing_modules(path) == []


def test_finds_what_leads_nowhere(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(
        "# A title: here\n[1](none.md) [2](page.md#a-title-here) [3](#none)\n"
        "`[4](code.md)` [5](https://example.com) ![6](none.png)\n"
        "python -m json.tool, `python -m json.none`, python -m tuning.\n"
    )
    assert missing_links(path) == ["none.md", "#none", "none.png"]
    assert missing_modules(path) == ["json.none", "tuning"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_their_pages(path):
    """`make notebooks` brings them up to date."""
    made = nbformat.read(path, as_version=4).cells
    page = jupytext.read(path.with_suffix(".md")).cells
    assert [(cell.cell_type, cell.source) for cell in made] == [
        (cell.cell_type, cell.source) for cell in page
    ]
    outputs = [each for cell in made for each in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_there_are_notebooks():
    names = [path.stem for path in NOTEBOOKS]
    assert names == ["data", "first_layer", "fusion", "many_models"]


def test_one_version():
    version = kmul.__version__
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.search(rf"^## \[{version}\] - \d{{4}}-\d\d-\d\d$", changes, re.M)
    assert f"\nversion: {version}\n" in citation
