"""Writes the page of findings."""

import pathlib

from experiments.findings import figures
from experiments.findings import page

DOCS = pathlib.Path(__file__).parents[2] / "docs"

if __name__ == "__main__":
    path = DOCS / "findings.md"
    path.write_text(page.text(), encoding="utf-8")
    figures.draw(DOCS / "findings")
    print(path)
