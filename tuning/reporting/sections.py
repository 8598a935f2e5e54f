"""The sections of a report's page."""

import pandas as pd

from tuning.reporting import answer
from tuning.reporting import figures
from tuning.reporting import glossary
from tuning.reporting import heat_maps
from tuning.reporting import published
from tuning.reporting import tables
from tuning.reporting.elements import element
from tuning.reporting.elements import table
from tuning.study.files import as_file_name
from tuning.study.rows import Result
from tuning.study.rows import columns

# The learning rates of up to this many problems are shown at once. With more
# problems, each opens on a click.
OPEN = 3
LARGEST_DIFFERENCES = 25
SETTINGS = {
    "backend": "backend",
    "tuner": "trials are trained",
    "search_steps": "steps of the trial of a learning rate",
    "train_steps": "steps of the training after it, at most",
    "check_steps": "steps between two looks at the validation accuracy",
    "batch_size": "records per step",
    "train_records": "records to train on, at most",
    "learning_rates": "learning rates",
    "tolerance": "largest error that counts as right",
    "target": "validation accuracy at which training stops",
    "width": "width of each of the two vectors",
}


def _problem_cell(row):
    return [
        element("b", row["task"]),
        element("span", f" on {row['inputs']}{row.get('mark', '')}"),
    ]


def _network_cell(row):
    return [
        element("b", row["network"]),
        element("span", f" {row['depth']} {row['activation']}"),
    ]


def _shown(*names):
    """Returns the names, headings and formats of a result's columns."""
    known = columns(Result)
    return [(name, known[name].heading, known[name].format) for name in names]


_PROBLEM = ("problem", "problem", _problem_cell)
_NETWORK = ("network", "network", _network_cell)
_SCORES = [
    *_shown("accuracy"),
    ("accuracy_interval", "± (95 %)", "{:.4f}"),
    *_shown("constant_accuracy", "skill"),
    ("skill_interval", "± (95 %)", "{:.3f}"),
    *_shown("success"),
]
_TRAINING = [("learning_rate", "rate", "numbers"), *_shown("choices", "steps")]
_COUNTS = [
    ("seeds", "seeds", "{}"),
    *_shown("loss", "seconds", "parameters", "status"),
]


def write(study):
    """Returns the page's elements by heading, and the figures by name.

    Args:
        study: A `tuning.reporting.study.Study`.
    """
    pictures = {}
    page = {
        None: [element("p", answer.sentence(study), class_="answer")],
        "In short": answer.in_short(study),
        "Best network of each problem": _best(study),
        "Networks × tasks": _heat_maps(study, pictures),
        "Names": _names(study),
        "Ranking of the networks": _ranking(study),
        "Learning rates": _learning_rates(study),
        "Beside the published results": _published(study, pictures),
        "Failures and remarks": _messages(study),
        "All results": _all_results(study),
        "Settings": _settings(study),
    }
    return {name: parts for name, parts in page.items() if parts}, pictures


def note(*children):
    """Returns a paragraph that explains."""
    return element("p", *children, class_="note")


def _best(study):
    if study.best.empty:
        return [note("There is no score on a problem that is not trivial.")]
    return [
        note(
            "The most accurate network on the test records; among equals the "
            "one with the fewest parameters, then steps. The best of many is "
            "slightly flattered, because the same score chooses and judges it."
        ),
        table(
            study.best,
            [
                _PROBLEM,
                _NETWORK,
                *_SCORES,
                ("learned_by", "learned by", "{}"),
                ("networks", "of networks", "{}"),
                *_TRAINING,
            ],
        ),
    ]


def _heat_maps(study, pictures):
    cells = study.cells
    parts = [
        note(
            "A row is a network with its depth and activation, a column a "
            "task. Numbers are means over the seeds on test records; those in "
            "bold are learned. † marks trivial tasks, where only the skill "
            "says something. –: not run, or no skill because a constant is "
            "perfect."
        ),
        element(
            "p",
            "Show ",
            _choice("skill", checked="checked"),
            " ",
            _choice("accuracy"),
            class_="choice",
        ),
    ]
    order = tables.task_order(cells.task)
    for inputs in tables.inputs_order(cells.inputs):
        mine = cells[cells.inputs == inputs]
        here = set(mine.task)
        variants = (
            mine[tables.VARIANT].drop_duplicates().sort_values(tables.VARIANT)
        )
        names = [name for name in order if name in here]
        trivial = set(mine.task[mine.trivial])
        marks = {
            name: " †" * (name in trivial) + study.mark(name, inputs)
            for name in names
        }
        parts += [
            element("h3", f"On {inputs}"),
            heat_maps.scores(mine, names, variants, marks),
        ]
        figure = figures.heat_map(cells, inputs, names, variants)
        pictures[as_file_name(f"skill_{inputs}.png")] = figures.png(figure)
    return parts


def _choice(score, **attributes):
    button = element(
        "input", type="radio", name="score", id=f"show-{score}", **attributes
    )
    return element("label", button, f" {score}")


def _names(study):
    cells = study.cells
    parts = []
    for heading, names, meaning in (
        ("Tasks", tables.task_order(cells.task), glossary.of_task),
        ("Inputs", tables.inputs_order(cells.inputs), glossary.of_inputs),
        ("Networks", sorted(set(cells.network)), glossary.of_network),
    ):
        known = [(name, meaning(name)) for name in names]
        listed = element("dl")
        for name, text in known:
            if text:
                listed.extend([element("dt", name), element("dd", text)])
        if len(listed):
            parts += [element("h3", heading), listed]
    words = element("dl")
    for name, text in answer.WORDS.items():
        words.extend([element("dt", name), element("dd", text)])
    return [*parts, element("h3", "Words"), words]


def _ranking(study):
    ranking = tables.ranking(_distinct(study))
    if ranking.empty:
        return []
    parts = [
        note(
            "By mean skill over the problems that are not trivial; equal "
            "problems count once. A skill below 0 counts as 0."
        )
    ]
    if ranking.cells.nunique() > 1:
        parts.append(
            note(
                element(
                    "b",
                    "Compare only networks with the same number of problems:",
                ),
                " the others were measured on other problems.",
            )
        )
    return [
        *parts,
        table(
            ranking,
            [
                _NETWORK,
                ("mean_skill", "mean skill", "{:.3f}"),
                ("learned", "learned", "{}"),
                ("cells", "of problems", "{}"),
            ],
        ),
    ]


def _distinct(study):
    return study.cells[study.cells.mark == ""]


def _learning_rates(study):
    if study.trials.empty:
        return []
    keys = ["task", "inputs"]
    results = dict(list(study.results.groupby(keys)))
    trials = dict(list(study.trials.groupby(keys)))
    pairs = study.cells[keys].drop_duplicates()
    opened = {} if len(pairs) > OPEN else {"open": "open"}
    parts = [
        note(
            "Validation loss after the trial of each learning rate: the bluer, "
            "the lower, on a logarithmic scale of each problem. A frame marks "
            "the rate chosen for the training from scratch. ×: the trial "
            "diverged. With several seeds, numbers are geometric means."
        )
    ]
    for pair in pairs.itertuples(index=False, name=None):
        mine = trials.get(pair)
        if mine is None or (mine.status == "failed").all():
            continue
        parts.append(
            element(
                "details",
                element("summary", " on ".join(pair)),
                heat_maps.losses(mine, results[pair]),
                **opened,
            )
        )
    return parts if len(parts) > 1 else []


def _published(study, pictures):
    if study.published is None:
        return []
    as_released = study.settings.get("name") == "released"
    both = published.compare(study.cells, study.published, as_released)
    if both.empty:
        return [element("p", "No cell here is among the published ones.")]
    content = figures.png(figures.against_published(both))
    pictures["published.png"] = content
    by_network = both.groupby("network", as_index=False).agg(
        cells=("difference", "size"),
        accuracy=("accuracy", "mean"),
        accuracy_published=("accuracy_published", "mean"),
        difference=("difference", "mean"),
    )
    shown = [
        ("accuracy", "accuracy here", "{:.4f}"),
        ("accuracy_published", "published", "{:.4f}"),
        ("difference", "difference", "{:+.4f}"),
    ]
    head = both.head(LARGEST_DIFFERENCES)
    return [
        element(
            "p",
            f"{answer.count(len(both), 'cell')} of {len(study.cells)} are "
            "among the published ones. Where one was published more than "
            "once, the run finished last counts. The accuracy of "
            f"{published.close(both)} is within {published.CLOSE} of the "
            "published one.",
        ),
        figures.embedded(content, "Accuracy here against published accuracy"),
        note("A point is a cell; on the line both agree."),
        element("p", "Why cells differ, by the first cause that fits:"),
        table(
            published.causes(both),
            [("cause", "cause", "{}"), ("cells", "cells", "{}")],
        ),
        note(
            "When it was published, dense_residual was evaluated without its "
            "skip connections, random_pos came from the same function as "
            "random, and all one_hot test records were also training records."
        ),
        element("p", "Means of each network's cells:"),
        table(
            by_network,
            [("network", "network", "{}"), ("cells", "cells", "{}"), *shown],
        ),
        element("p", f"The {len(head)} largest differences:"),
        table(head, [_PROBLEM, _NETWORK, *shown, ("cause", "cause", "{}")]),
    ]


def _messages(study):
    """Lists failures and remarks."""
    shown = [_PROBLEM, _NETWORK, *_shown("seed", "status", "message")]
    results = study.results
    results = results[(results.message != "") | (results.status == "failed")]
    parts = [table(results, shown)] if len(results) else []
    trials = study.trials[study.trials.status == "failed"]
    if len(trials):
        parts += [
            element("p", "Trials of a learning rate that failed:"),
            table(trials, [*shown[:-2], *_shown("learning_rate"), shown[-1]]),
        ]
    return parts


def _all_results(study):
    cells = study.cells
    status = cells.trivial.map({True: "trivial", False: "done"})
    status[cells.learned] = "learned"
    status[cells.seeds == 0] = "failed"
    search = element(
        "input", class_="filter", data_table="results", placeholder="dot relu"
    )
    return [
        element(
            "p",
            element("label", "Show rows with ", search),
            " Click a heading to sort.",
        ),
        table(
            cells.assign(status=status),
            [_PROBLEM, _NETWORK, *_SCORES, *_TRAINING, *_COUNTS],
            identifier="results",
        ),
    ]


def _settings(study):
    settings = study.settings
    order = [*(set(SETTINGS) & set(settings)), *(set(settings) - set(SETTINGS))]
    order.sort(key=[*SETTINGS, *settings].index)
    rows = [
        (SETTINGS.get(name, name), _setting(name, settings[name]))
        for name in order
    ]
    for name in ("device", "seed"):
        values = sorted(set(study.results[name]) - {""})
        rows.append((name, ", ".join(map(str, values))))
    parts = [] if settings else [note("There is no settings.json.")]
    return [
        *parts,
        table(
            pd.DataFrame(rows, columns=["name", "value"]),
            [("name", "setting", "{}"), ("value", "value", "{}")],
        ),
    ]


def _setting(name, value):
    if name == "learning_rates" and isinstance(value, list):
        return ", ".join(
            f"{rate:g}" if isinstance(rate, (int, float)) else str(rate)
            for rate in value
        )
    if name == "tuner":
        return {"population": "together", "one-by-one": "one by one"}.get(
            str(value), str(value)
        )
    if name == "train_records" and value is None:
        return "all"
    if isinstance(value, (int, float)):
        return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
    return str(value)
