"""What the rows of a study say: means over seeds, best networks, rankings."""

import pandas as pd
import scipy.special

import tasks

PAIR = ["task", "inputs"]
VARIANT = ["network", "depth", "activation"]
CELL = PAIR + VARIANT
# A pair counts as learned from both on. Accuracy alone would count networks
# that hardly differ from a constant, where that one is nearly as accurate.
LEARNED_ACCURACY = 0.99
LEARNED_SKILL = 0.9
_NUMBERS = (
    "depth",
    "seed",
    "accuracy",
    "loss",
    "constant_accuracy",
    "skill",
    "learning_rate",
    "steps",
    "seconds",
    "parameters",
    "success",
)


def to_frame(table):
    """Returns the rows of a `tuning.study.rows.Table` as a data frame.

    Raises:
        ValueError: What should be a number is not.
    """
    frame = pd.DataFrame(table.rows, columns=list(table.columns), dtype=str)
    to_numbers(frame, table.path)
    whole = frame[["depth", "seed"]]
    if (whole.isna() | (whole % 1 != 0)).any(axis=None):
        raise ValueError(
            f"{table.path} is damaged: a row has no depth or no seed that is "
            "an integer. Mend or remove it."
        )
    frame[["depth", "seed"]] = whole.astype(int)
    unknown = set(frame.status) - {"done", "trivial", "failed", "diverged"}
    if unknown:
        raise ValueError(
            f"{table.path} is damaged: a row has the status "
            f"{min(unknown)!r}. Mend or remove it."
        )
    if frame.accuracy[frame.status.isin(["done", "trivial"])].isna().any():
        raise ValueError(
            f"{table.path} is damaged: a row that is done has no accuracy. "
            "Mend or remove it."
        )
    return frame


def to_numbers(frame, path):
    """Turns a frame's columns of text into numbers, blanks into NaN."""
    for name in frame.columns.intersection(_NUMBERS):
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


def half_interval(values):
    """Returns half the 95 % confidence interval of the mean, by Student's t."""
    values = values.dropna()
    if len(values) < 2:
        return float("nan")
    quantile = scipy.special.stdtrit(len(values) - 1, 0.975)
    return quantile * values.std() / len(values) ** 0.5


def over_seeds(results):
    """Returns a row per cell: its means over the seeds that did not fail.

    The columns are those of a cell, `accuracy`, `skill` and their
    `*_interval`, the means of the other numbers (of `success`, so, its rate),
    `learning_rate` and `choices` as text,
    `seeds` and `failed` (how many have a score, and how many have none),
    `trivial` and `learned`.
    """
    failed = results.status == "failed"
    rows = results.assign(
        failed=failed,
        scored=~failed,
        # A failed row does not know it, others of the same pair do.
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
    """Returns the best cell of every pair that is not trivial.

    That is the most accurate; of several, the one of the fewest parameters,
    then of the fewest steps. `learned_by` counts the networks that learned it,
    `networks` those with a score.
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
    """Returns the networks by their mean skill over pairs not trivial.

    In `mean_skill`, a skill below 0 counts as 0: it has no lower bound, and
    one cell far worse than a constant would outweigh all others. The plain
    mean is `plain_mean_skill`.
    """
    cells = _headline(cells)
    cells = cells.assign(useful=cells.skill.clip(lower=0))
    return (
        cells.groupby(VARIANT, as_index=False)
        .agg(
            cells=("skill", "size"),
            learned=("learned", "sum"),
            mean_skill=("useful", "mean"),
            plain_mean_skill=("skill", "mean"),
        )
        .sort_values(
            ["mean_skill", "plain_mean_skill"], ascending=False, kind="stable"
        )
        .reset_index(drop=True)
    )


def compare(cells, published):
    """Returns the cells that are in both, the largest difference first.

    Where a cell was published more than once, the row finished last counts.
    """
    last = published.sort_values("finished", kind="stable").drop_duplicates(
        CELL, keep="last"
    )
    both = cells[cells.accuracy.notna()].merge(
        last[[*CELL, "accuracy"]].dropna(), on=CELL, suffixes=("", "_published")
    )
    both["difference"] = both.accuracy - both.accuracy_published
    order = both.difference.abs().sort_values(ascending=False, kind="stable")
    return both.loc[order.index].reset_index(drop=True)


def in_known_order(values, known):
    """Returns distinct values in the order they are known in, others last."""
    known = list(known)
    return sorted(
        set(values),
        key=lambda x: (known.index(x) if x in known else len(known), x),
    )


def task_order(values):
    return in_known_order(values, tasks.OPERATIONS)


def inputs_order(values):
    return in_known_order(values, tasks.INPUTS)


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
