"""A page of a study's results: `python -m tuning.report --help`."""

import argparse
import base64
import html
import io
import json
import pathlib
import string
import sys

import pandas as pd
import rich.console
import rich.progress

from tuning import reporting
from tuning.problems import registry
from tuning.reporting import figures
from tuning.reporting import tables as summary
from tuning.study.files import as_file_name
from tuning.study.files import replace_file
from tuning.study.rows import Result
from tuning.study.rows import Trial
from tuning.study.rows import columns
from tuning.study.table import Table

DESCRIPTION = """\
Turn the results of a search into a page, DIRECTORY/report.html, and figures,
DIRECTORY/figures/*.png."""
DOTS_PER_INCH = 130
# So many figures of learning rates are shown at once; of more, each opens on a
# click.
OPEN_FIGURES = 3
LARGEST_DIFFERENCES = 25
# Tables of more rows than this scroll by themselves.
LONG = 40
PUBLISHED_COLUMNS = (*summary.CELL, "accuracy", "finished")
SETTINGS = {
    "backend": "backend",
    "tuner": "trials are trained",
    "search_steps": "steps of a trial of a learning rate",
    "train_steps": "steps of the training after it, at most",
    "check_steps": "steps between two looks at the validation accuracy",
    "batch_size": "records per step",
    "train_records": "records to train on, at most",
    "learning_rates": "learning rates",
    "tolerance": "largest error that counts as right",
    "target": "validation accuracy at which training stops",
    "width": "width of each of the two inputs",
}


def _shown(*names):
    """Returns the names, headings and formats of a result's columns."""
    known = columns(Result)
    return [(name, known[name].heading, known[name].format) for name in names]


_NETWORK = _shown("network", "depth", "activation")
_PAIR = _shown("task", "inputs")
_SCORES = [
    *_shown("accuracy"),
    ("accuracy_interval", "± (95 %)", "{:.4f}"),
    *_shown("constant_accuracy", "skill"),
    ("skill_interval", "± (95 %)", "{:.3f}"),
    *_shown("success"),
]
_TRAINING = [
    ("learning_rate", "rate", "numbers"),
    *_shown("choices", "steps"),
]
_COUNTS = [
    ("seeds", "seeds", "{}"),
    *_shown("loss", "seconds", "parameters", "status"),
]


def main(arguments=None):
    """Writes a report; returns the process's exit code."""
    options = _parser().parse_args(arguments)
    try:
        path = write_report(options.directory, options.published)
    except (ValueError, OSError) as error:
        print(f"report: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(f"Report: {path}")
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message):
        print(f"report: error: {message}", file=sys.stderr)
        sys.exit(2)


def _parser():
    parser = _Parser(prog="python -m tuning.report", description=DESCRIPTION)
    parser.add_argument(
        "directory",
        metavar="DIRECTORY",
        help="where a search has written its results",
    )
    parser.add_argument(
        "--published",
        metavar="PATH",
        help="a CSV file of published results to compare with: columns "
        f"{', '.join(PUBLISHED_COLUMNS)}",
    )
    return parser


def write_report(directory, published=None):
    """Writes the page and the figures of a study.

    Args:
        directory: Where `results.csv` and `trials.csv` are.
        published: Path of a CSV file of published results, or None.

    Returns:
        The path of the page.

    Raises:
        ValueError: Something that is read is not what it should be.
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
    page = _Page(directory / "figures", results, trials)
    page.headline()
    page.best()
    page.ranking()
    page.heat_maps()
    page.learning_rates()
    if published is not None:
        page.published(published)
    page.messages()
    page.table()
    page.settings(settings)
    template = pathlib.Path(reporting.__file__).with_name("page.html")
    template = template.read_text("utf-8")
    text = string.Template(template).substitute(
        title="What the networks learned", body=page.text()
    )
    path = directory / "report.html"
    replace_file(path, text)
    return path


def _read(path, row_class):
    return summary.to_frame(Table(path, row_class).rows, row_class)


def _read_settings(path):
    if not path.exists():
        return {}
    try:
        settings = json.loads(path.read_text("utf-8"))
        return dict(settings)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged. Mend or remove it.") from error


def _read_published(path):
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as e:
        raise ValueError(f"{path} is not a CSV file: {e}") from e
    missing = [name for name in PUBLISHED_COLUMNS if name not in frame]
    if missing:
        raise ValueError(f"{path} has no column {', '.join(missing)}.")
    summary.to_numbers(frame, path)
    return frame


class _Page:
    """The sections of a page, and the figures written on the way.

    Args:
        figures: Directory for the figures.
        results: Data frame of the results.
        trials: Data frame of the trials.
    """

    def __init__(self, figures, results, trials):
        self._figures = figures
        self._results = results
        self._trials = trials
        self._cells = summary.over_seeds(results)
        self._best = summary.best_networks(self._cells)
        self._parts = []
        self._sections = []

    def text(self):
        links = (
            f'<a href="#section{i}">{name}</a>'
            for i, name in enumerate(self._sections)
        )
        return "\n".join([f"<nav>{''.join(links)}</nav>", *self._parts])

    def headline(self):
        cells, best = self._cells, self._best
        pairs = cells[summary.PAIR].drop_duplicates()
        networks = cells[summary.VARIANT].drop_duplicates()
        seeds = int(cells.seeds.max())
        few = int(cells.seeds[cells.seeds > 0].min()) if seeds else 0
        trivial = cells[cells.trivial][summary.PAIR].drop_duplicates()
        failed = int((self._results.status == "failed").sum())
        self._section("In short")
        self._paragraph(
            f"{_count(len(networks), 'network')} (of one depth and activation "
            f"each) on {_count(len(pairs), 'pair')} of task and inputs, "
            + (f"{few} to " if few < seeds else "")
            + f"{_count(seeds, 'seed')} each: {_count(len(cells), 'cell')}."
            + (f" {_count(failed, 'run')} failed, see below." if failed else "")
        )
        points = []
        if len(best):
            learned = (best.learned_by > 0).sum()
            points.append(
                f"<b>{learned} of {_count(len(best), 'pair')}</b> learned by "
                "at least one network (trivial ones not counted)."
            )
        for _, row in best[best.learned_by == 0].iterrows():
            points.append(
                f"Nothing learned <b>{_pair(row)}</b>. The best, "
                f"{_network(row)}, has accuracy {row.accuracy:.4f}; a constant "
                f"has {row.constant_accuracy:.4f}."
            )
        here = cells[~cells.trivial & cells.accuracy.notna()]
        for network, rows in here.groupby("network"):
            learned = rows[rows.learned].drop_duplicates(summary.PAIR)
            total = len(rows.drop_duplicates(summary.PAIR))
            by_task = [
                f"{html.escape(task)} ({', '.join(of_task.inputs)})"
                for task, of_task in learned.groupby("task", sort=False)
            ]
            points.append(
                f"<b>{html.escape(network)}</b>, at its best depth and "
                f"activation, learned {len(learned)} of "
                f"{_count(total, 'pair')}"
                + (f": {', '.join(by_task)}." if by_task else ".")
            )
        if len(trivial):
            names = [_pair(row) for _, row in trivial.iterrows()]
            points.append(
                f"Trivial, and left out of all of this: {', '.join(names)}."
            )
        self._add("<ul>", *(f"<li>{each}</li>" for each in points), "</ul>")
        self._paragraph(
            "<i>Accuracy</i> is the share of the elements of the test labels "
            "that are met within the tolerance, or of the images whose class "
            "is named. <i>Constant</i> is what the "
            "best constant gets, and <i>skill</i> = (accuracy − constant) / "
            "(1 − constant): 1 is perfect, 0 no better than a constant, below "
            "0 worse. <i>Learned</i> means an accuracy of "
            f"{summary.LEARNED_ACCURACY:g} and a skill of "
            f"{summary.LEARNED_SKILL:g} or more. <i>Trivial</i> are pairs of "
            "which a constant meets 99 % of the training labels or more."
            + (
                " <i>Success</i> is the share of the seeds whose extrapolation "
                "error is below that of a nearly exact solution."
                if cells.success.notna().any()
                else ""
            ),
            note=True,
        )
        if seeds > 1:
            self._paragraph(
                "Scores are means over the seeds; ± is half the 95 % "
                "confidence interval of the mean, by Student's t.",
                note=True,
            )

    def best(self):
        self._section("Best network of each task")
        if self._best.empty:
            self._paragraph("There is no score on a pair that is not trivial.")
            return
        self._paragraph(
            "The most accurate on test; of several, the one of the fewest "
            "parameters, then of the fewest steps. The best of many is "
            "flattered a little by chance, as it is chosen by the same score.",
            note=True,
        )
        self._table(
            self._best,
            [
                *_PAIR,
                *_NETWORK,
                *_SCORES,
                *_TRAINING,
                ("learned_by", "learned by", "{}"),
                ("networks", "of networks", "{}"),
            ],
        )

    def ranking(self):
        ranking = summary.ranking(self._cells)
        if ranking.empty:
            return
        self._section("Ranking of the networks")
        self._paragraph(
            "By mean skill over the pairs that are not trivial. A skill below "
            "0 counts as 0 in it, as it has no lower bound, and one cell far "
            "worse than a constant would outweigh all others; the plain mean "
            "stands beside it."
            + (
                " <b>Compare only networks with the same number of cells:</b> "
                "others were measured on other tasks."
                if ranking.cells.nunique() > 1
                else ""
            ),
            note=True,
        )
        self._table(
            ranking,
            [
                *_NETWORK,
                ("mean_skill", "mean skill", "{:.3f}"),
                ("plain_mean_skill", "plain mean", "{:.3f}"),
                ("cells", "cells", "{}"),
                ("learned", "learned", "{}"),
            ],
        )

    def heat_maps(self):
        cells = self._cells
        self._section("Networks × tasks")
        self._paragraph(
            "A row is a network with its depth and activation, a column a "
            "task; the number is the mean on test over the seeds. Bold numbers "
            "are learned. A dotted frame and † mark trivial tasks, where a "
            "high accuracy says nothing: look at the skill. Hatched cells have "
            "no meaning, a dash was not run, and <i>failed</i> has a message "
            "below. Colours of skill end at −1, the numbers do not.",
            note=True,
        )
        order = summary.task_order(cells.task)
        shown = []
        for inputs in summary.inputs_order(cells.inputs):
            mine = cells[cells.inputs == inputs]
            here = set(mine.task)
            variants = (
                mine[summary.VARIANT]
                .drop_duplicates()
                .sort_values(summary.VARIANT)
            )
            # Tasks of another data set are left out.
            names = [
                name
                for name in order
                if name in here or inputs in registry.inputs_of_kind(name)
            ]
            refused = {
                name
                for name in names
                if name not in here and inputs not in registry.inputs_of(name)
            }
            for score in ("accuracy", "skill"):
                figure = figures.heat_map(
                    cells, inputs, names, variants, refused, score
                )
                shown.append(
                    self._figure(
                        figure,
                        f"{score}_{inputs}",
                        f"Heat map of {score}, networks by tasks, on inputs "
                        f"{inputs}",
                    )
                )
        self._add('<div class="figures">', *shown, "</div>")

    def learning_rates(self):
        if self._trials.empty:
            return
        pairs = self._cells[summary.PAIR].drop_duplicates()
        many = len(pairs) > OPEN_FIGURES
        self._section("Learning rates")
        self._paragraph(
            "Validation loss after the trial of each learning rate, both on a "
            "logarithmic scale; a panel for each network and activation, a "
            "line for each depth. The ring is the rate chosen for the training "
            "from scratch. In the grey band are losses too large for the "
            "scale (▲) and trials that diverged (×: the loss was not finite). "
            "With several seeds, points are geometric means over them, and "
            "bars their 95 % intervals. Losses under "
            f"{figures.FLOOR:g} are drawn there."
            + (" Each figure opens on a click." if many else ""),
            note=True,
        )
        trials, cells = self._trials, self._results
        for task, inputs in rich.progress.track(
            list(pairs.itertuples(index=False)),
            "Figures",
            console=rich.console.Console(stderr=True),
            transient=True,
            disable=not many,
        ):
            ours = (trials.task == task) & (trials.inputs == inputs)
            if not (trials[ours].status != "failed").any():
                continue
            name = f"{task} on {inputs}"
            figure = figures.learning_rates(
                trials[ours],
                cells[(cells.task == task) & (cells.inputs == inputs)],
                name,
            )
            image = self._figure(
                figure,
                f"rates_{task}_{inputs}",
                f"Validation loss by learning rate, {name}",
            )
            self._add(
                "<details>" if many else "<details open>",
                f"<summary>{html.escape(name)}</summary>{image}</details>",
            )

    def published(self, published):
        self._section("Beside the published results")
        both = summary.compare(self._cells, published)
        if both.empty:
            self._paragraph("No cell here is among the published ones.")
            return
        self._paragraph(
            f"{_count(len(both), 'cell')} of {len(self._cells)} are among the "
            "published ones. Where one was published more than once, the run "
            "finished last counts."
        )
        image = self._figure(
            figures.against_published(both),
            "published",
            "Accuracy here against published accuracy",
        )
        self._add(image)
        self._paragraph(
            "A point is a cell; on the line both agree. Reasons for "
            "differences that are known: <b>dense_residual</b> was evaluated "
            "without its skip connections when it was published, and "
            "<b>random_pos</b> was generated by the same function as random. "
            "One_hot test records were all training records, too.",
            note=True,
        )
        by_network = both.groupby("network", as_index=False).agg(
            cells=("difference", "size"),
            accuracy=("accuracy", "mean"),
            accuracy_published=("accuracy_published", "mean"),
            difference=("difference", "mean"),
        )
        columns = [
            ("accuracy", "accuracy here", "{:.4f}"),
            ("accuracy_published", "published", "{:.4f}"),
            ("difference", "difference", "{:+.4f}"),
        ]
        self._paragraph("Means of each network's cells:")
        self._table(
            by_network,
            [("network", "network", "{}"), ("cells", "cells", "{}"), *columns],
        )
        if len(both) > LARGEST_DIFFERENCES:
            both = both.head(LARGEST_DIFFERENCES)
            self._paragraph(f"The {len(both)} largest differences:")
        else:
            self._paragraph("The cells, the largest difference first:")
        self._table(both, [*_PAIR, *_NETWORK, *columns])

    def messages(self):
        """Lists what failed, and what was remarked."""
        shown = [
            *_PAIR,
            *_NETWORK,
            *_shown("seed", "status", "message"),
        ]
        results = self._results
        results = results[
            (results.message != "") | (results.status == "failed")
        ]
        if len(results):
            self._section("Failures and remarks")
            self._table(results, shown)
        trials = self._trials[self._trials.status == "failed"]
        if len(trials):
            self._paragraph("Trials of a learning rate that failed:")
            self._table(
                trials,
                [*shown[:-2], *_shown("learning_rate"), shown[-1]],
            )

    def table(self):
        self._section("All results")
        cells = self._cells
        status = cells.trivial.map({True: "trivial", False: "done"})
        status[cells.learned] = "learned"
        status[cells.seeds == 0] = "failed"
        self._add(
            '<p><label>Show rows with <input class="filter" '
            'data-table="results" placeholder="dot random multiply"></label> '
            '<span class="note">Click a heading to sort.</span></p>'
        )
        self._table(
            cells.assign(status=status),
            [*_PAIR, *_NETWORK, *_SCORES, *_TRAINING, *_COUNTS],
            identifier="results",
        )

    def settings(self, settings):
        self._section("Settings")
        rows = [
            (SETTINGS[name], _setting(name, settings[name]))
            for name in SETTINGS
            if name in settings
        ]
        rows += [
            (name, str(value))
            for name, value in settings.items()
            if name not in SETTINGS
        ]
        for name in ("device", "seed"):
            values = sorted(set(self._results[name]) - {""})
            rows.append((name, ", ".join(map(str, values))))
        if not settings:
            self._paragraph("There is no settings.json.", note=True)
        self._table(
            pd.DataFrame(rows, columns=["name", "value"]),
            [("name", "setting", "{}"), ("value", "value", "{}")],
        )

    def _section(self, name):
        self._add(f'<h2 id="section{len(self._sections)}">{name}</h2>')
        self._sections.append(name)

    def _paragraph(self, text, note=False):
        self._add(f'<p class="note">{text}</p>' if note else f"<p>{text}</p>")

    def _add(self, *parts):
        self._parts += parts

    def _figure(self, figure, name, description):
        """Writes a figure and returns its place on the page."""
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
        content = buffer.getvalue()
        self._figures.mkdir(exist_ok=True)
        replace_file(self._figures / as_file_name(f"{name}.png"), content)
        width = round(figure.get_figwidth() * 96)
        return (
            f'<figure><img width="{width}" alt="{html.escape(description)}" '
            'src="data:image/png;base64,'
            f'{base64.b64encode(content).decode()}"></figure>'
        )

    def _table(self, rows, columns, identifier=""):
        """Adds a table, less the columns that are empty throughout."""
        columns = [each for each in columns if rows[each[0]].notna().any()]
        heads = "".join(
            f"<th><button>{heading}</button></th>" for _, heading, _ in columns
        )
        self._add(
            f'<div class="scroll{" long" if len(rows) > LONG else ""}">'
            '<table class="sortable"'
            + (f' id="{identifier}"' if identifier else "")
            + f"><thead><tr>{heads}</tr></thead><tbody>"
        )
        for row in rows.to_dict("records"):
            kind = row.get("status", "")
            self._add(
                (f'<tr class="{kind}">' if kind else "<tr>")
                + "".join(_cell(row[name], text) for name, _, text in columns)
                + "</tr>"
            )
        self._add("</tbody></table></div>")


def _cell(value, text):
    if pd.isna(value):
        return "<td></td>"
    if text == "numbers":
        first = value.split(",")[0]
        return f'<td class="number" data-value="{first}">{value}</td>'
    if isinstance(value, str):
        return f"<td>{html.escape(value)}</td>"
    shown = text.format(value).replace("-", "−")
    return f'<td class="number" data-value="{value:.9g}">{shown}</td>'


def _setting(name, value):
    if name == "learning_rates" and isinstance(value, list):
        return ", ".join(f"{rate:g}" for rate in value)
    if name == "tuner":
        return {"population": "together", "one-by-one": "one by one"}.get(
            value, str(value)
        )
    if name == "train_records" and value is None:
        return "all"
    if isinstance(value, (int, float)):
        return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
    return str(value)


def _count(number, noun):
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _pair(row):
    return f"{html.escape(row.task)} on {html.escape(row.inputs)}"


def _network(row):
    return html.escape(
        f"{row.network} (depth {row.depth}, {row.activation}, rate "
        f"{row.learning_rate})"
    )


if __name__ == "__main__":
    sys.exit(main())
