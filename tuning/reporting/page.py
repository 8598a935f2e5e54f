"""The page of a study, and the figures beside it."""

import json
import pathlib
import string

import pandas as pd

from tuning.reporting import elements
from tuning.reporting import sections
from tuning.reporting import tables
from tuning.reporting.study import Study
from tuning.study.files import replace_file
from tuning.study.rows import Result
from tuning.study.rows import Trial
from tuning.study.table import Table

PUBLISHED_COLUMNS = (*tables.CELL, "accuracy", "finished")
# Names the figures that a report has made, beside them.
MADE = ".made"
TITLE = "What the networks learned"


def write_report(directory, published=None):
    """Writes the page and the figures of a study.

    Args:
        directory: Where `results.csv` and `trials.csv` are.
        published: Path of a CSV file of published results, or None.

    Returns:
        The path of the page.

    Raises:
        ValueError: Something that is read is not as it should be.
        OSError: Something cannot be read or written.
    """
    directory = pathlib.Path(directory)
    if not directory.is_dir():
        raise ValueError(f"There is no directory {directory}.")
    if not (directory / "results.csv").exists():
        raise ValueError(
            f"{directory} has no results.csv. Make one with python -m "
            f"tuning.search --directory {directory}"
        )
    results = _read(directory / "results.csv", Result)
    if results.empty:
        raise ValueError(f"{directory / 'results.csv'} has no results yet.")
    trials = _read(directory / "trials.csv", Trial)
    settings = _read_settings(directory / "settings.json")
    if published is not None:
        published = _read_published(published)
    study = Study(results, trials, settings, published)
    page, figures = sections.write(study)
    path = directory / "report.html"
    _write_figures(directory / "figures", figures)
    replace_file(path, _fill_in(page))
    return path


def _fill_in(page):
    """Returns the text of the page.

    Args:
        page: Dictionary from headings to lists of elements; that of None
            stands before the first heading.
    """
    links = elements.element(
        "nav",
        *(
            elements.element("a", heading, href=f"#section{index}")
            for index, heading in enumerate(page)
            if heading is not None
        ),
    )
    body = [elements.element("h1", TITLE)]
    for index, (heading, parts) in enumerate(page.items()):
        if heading is not None:
            body.append(elements.element("h2", heading, id=f"section{index}"))
        body += parts
        if heading is None:
            body.append(links)
    template = pathlib.Path(__file__).with_name("page.html").read_text("utf-8")
    return string.Template(template).substitute(
        title=TITLE, body=elements.to_html(body)
    )


def _write_figures(directory, figures):
    """Writes figures, and removes those that only an earlier report made."""
    directory.mkdir(exist_ok=True)
    made = directory / MADE
    earlier = made.read_text("utf-8").splitlines() if made.exists() else []
    for name, content in figures.items():
        replace_file(directory / name, content)
    for path in directory.iterdir():
        if path.name in earlier and path.name not in figures:
            path.unlink()
    replace_file(made, "".join(f"{name}\n" for name in figures))


def _read(path, row_class):
    return tables.to_frame(Table(path, row_class).rows, row_class)


def _read_settings(path):
    if not path.exists():
        return {}
    try:
        settings = json.loads(path.read_text("utf-8"))
        return dict(settings)
    # Also for lists that are nested too deep.
    except (RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged. Mend or remove it.") from error


def _read_published(path):
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as e:
        raise ValueError(f"{path} is not a CSV file: {e}") from e
    missing = [name for name in PUBLISHED_COLUMNS if name not in frame]
    if missing:
        raise ValueError(f"{path} has no column {', '.join(missing)}.")
    tables.to_numbers(frame, path)
    return frame
