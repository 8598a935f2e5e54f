"""Tables of a study: means over seeds, best networks, rankings."""

import dataclasses

import pandas as pd

from tuning.problems import registry
from tuning.reporting.statistics import half_interval
from tuning.study.rows import Result
from tuning.study.rows import columns

PAIR = ["task", "inputs"]
VARIANT = ["network", "depth", "activation"]
CELL = PAIR + VARIANT
# A problem counts as learned if both are reached. Accuracy alone would count
# networks that hardly differ from a constant that is nearly as accurate.
LEARNED_ACCURACY = 0.99
LEARNED_SKILL = 0.9


def to_frame(rows, row_class):
    """Returns rows of a table as a data frame, missing values as NaN.

    Args:
        rows: List of `tuning.study.rows.Result`s, or of `Trial`s.
        row_class: Their class.
    """
    known = columns(row_class)
    frame = pd.DataFrame(map(dataclasses.asdict, rows), columns=[*known])
    return frame.astype(
        {
            name: float if column.optional else column.type
            for name, column in known.items()
            if column.is_number
        }
    )


def to_numbers(frame, path):
    """Turns a frame's columns of text into numbers, blanks into NaN."""
    numeric = [each.name for each in columns(Result).values() if each.is_number]
    for name in frame.columns.intersection(numeric):
        text = frame[name].str.strip()
        numbers = pd.to_numeric(text, errors="coerce")
        wrong = numbers.isna() & ~text.str.lower().isin(["", "nan"])
        if wrong.any():
            raise ValueError(
                f"{path} is damaged: in line {frame.index[wrong][0] + 2}, "
                f"{name} is {text[wrong].iloc[0]!r}, not a number. Mend or "
                "remove it."
            )
        frame[name] = numbers


def over_seeds(results):
    """Returns a row per cell: its means over the seeds that did not fail.

    The columns are those of a cell, `accuracy`, `skill` and their
    `*_interval`, the means of the other numbers, `learning_rate` and `choices`
    as text, `seeds` and `failed` (how many have a score, and how many have
    none), `trivial` and `learned`. A skill below −1 counts as −1: it has no
    lower bound, and says no more than that a network is far worse than a
    constant.
    """
    failed = results.status == "failed"
    rows = results.assign(
        skill=results.skill.clip(lower=-1),
        failed=failed,
        scored=~failed,
        # A failed row does not know it, others of the same problem do.
        trivial=(results.status == "trivial")
        .groupby([results[name] for name in PAIR])
        .transform("any"),
    )
    cells = rows.groupby(CELL, as_index=False, sort=False).agg(
        seeds=("scored", "sum"),
        failed=("failed", "sum"),
        accuracy=("accuracy", "mean"),
        accuracy_interval=("accuracy", half_interval),
        constant_accuracy=("constant_accuracy", "mean"),
        skill=("skill", "mean"),
        skill_interval=("skill", half_interval),
        loss=("loss", "mean"),
        learning_rate=("learning_rate", _values),
        steps=("steps", "mean"),
        seconds=("seconds", "mean"),
        parameters=("parameters", "mean"),
        choices=("choices", _texts),
        success=("success", "mean"),
        trivial=("trivial", "any"),
    )
    cells["learned"] = (
        ~cells.trivial
        & (cells.accuracy >= LEARNED_ACCURACY)
        & (cells.skill >= LEARNED_SKILL)
    )
    return _in_order(cells)


def best_networks(cells):
    """Returns the best cell of every problem that is not trivial.

    That is the most accurate one; among equals, the one with the fewest
    parameters, then steps. `learned_by` counts the networks that learned the
    problem, `networks` those with a score.
    """
    cells = _headline(cells)
    best = cells.sort_values(
        ["accuracy", "parameters", "steps"],
        ascending=[False, True, True],
        kind="stable",
    ).drop_duplicates(PAIR)
    counts = cells.groupby(PAIR, as_index=False).agg(
        learned_by=("learned", "sum"), networks=("learned", "size")
    )
    return _in_order(best.merge(counts, on=PAIR))


def ranking(cells):
    """Returns the networks by their mean skill over problems not trivial.

    A skill below 0 counts as 0: one cell far worse than a constant would
    outweigh all others.
    """
    cells = _headline(cells)
    cells = cells.assign(useful=cells.skill.clip(lower=0))
    return (
        cells.groupby(VARIANT, as_index=False)
        .agg(
            cells=("skill", "size"),
            learned=("learned", "sum"),
            mean_skill=("useful", "mean"),
        )
        .sort_values("mean_skill", ascending=False, kind="stable")
        .reset_index(drop=True)
    )


def in_known_order(values, known):
    """Returns distinct values in the order they are known in, others last."""
    known = list(known)
    return sorted(
        set(values),
        key=lambda x: (known.index(x) if x in known else len(known), x),
    )


def task_order(values):
    return in_known_order(values, registry.task_names())


def inputs_order(values):
    return in_known_order(values, registry.inputs_names())


def _headline(cells):
    return cells[~cells.trivial & cells.accuracy.notna()]


def _values(numbers):
    return ", ".join(f"{x:g}" for x in sorted(set(numbers.dropna())))


def _texts(values):
    return "; ".join(sorted(set(values) - {""})) or None


def _in_order(cells):
    ranks = {"task": task_order, "inputs": inputs_order}
    return cells.sort_values(
        CELL,
        key=lambda column: (
            column.map(ranks[column.name](column).index)
            if column.name in ranks
            else column
        ),
        ignore_index=True,
    )
