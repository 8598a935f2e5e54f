"""The page."""

import numpy as np

from experiments.neural_arithmetic.training import UNITS
from tasks.arithmetic_ops import OPERATIONS
from tasks.arithmetic_ops import success_threshold

SYMBOLS = {
    "add": "s + t",
    "sub": "s − t",
    "mul": "s t",
    "div": "s / t",
    "square": "s²",
    "root": "√s",
}


def write(rows, settings, how, directory):
    """Writes report.md.

    Args:
        rows: List of `Row`.
        settings: `Settings`.
        how: Sentence that says on what it was run, and when.
        directory: `pathlib.Path` of an existing directory.
    """
    (directory / "report.md").write_text(
        page(rows, settings, how), encoding="utf-8"
    )


def page(rows, settings, how):
    start, full = (share * settings.steps for share in settings.warmup)
    seeds = len(settings.seeds)
    lines = [
        "# Arithmetic that extrapolates",
        "",
        how,
        "",
        "Of a vector of 100 numbers, s and t are the sums of two quarters, "
        "half of each in the other, too. A network learns an operation on "
        "them: a `kmul.layers.NAU` of two units, which has to find the sums, "
        "and behind it one unit of the layer in the table. It is trained on "
        "numbers from 1 to 2 and tested on numbers from 2 to 6. Success is an "
        "error below that of a solution all of whose weights are off by "
        "0.00001, the measure of Madsen and Johansen (*Neural Arithmetic "
        "Units*, 2020).",
        "",
        f"Adam at {settings.learning_rate:g}, up to {settings.steps:,} steps "
        f"of {settings.batch_size} records; the validation error is taken "
        f"every {settings.steps_per_epoch:,}, and training stops at a "
        "tenth of what would be success. `NAU` and `NMU` are regularized "
        f"to exact weights, from {start:,.0f} steps on, at full strength from "
        f"{full:,.0f}, with a strength of {settings.strength:g}, times the "
        "variance of the labels where that is below 1. "
        f"{seeds} seeds of initial weights. What can only add is "
        "tried on sums and differences alone.",
        "",
        "## Success",
        "",
        f"How many of {seeds} trainings succeed, and after how many steps "
        "(median).",
        "",
        *table(rows, _success),
        "",
        "## Error",
        "",
        "Median error of extrapolation, as a multiple of that of a nearly "
        "exact solution: 1 or less is success.",
        "",
        *table(rows, _error),
        "",
        "## Exactness",
        "",
        "Median of how far the weights that should find the sums are from −1, "
        "0 and 1 at most.",
        "",
        *table(rows, _exactness),
    ]
    return "\n".join(lines) + "\n"


def table(rows, cell):
    """Returns the lines of a table of units by operations.

    Args:
        rows: List of `Row`.
        cell: Returns the text of an operation and its rows of one unit.
    """
    lines = [
        f"| unit | {' | '.join(SYMBOLS[each] for each in OPERATIONS)} |",
        f"|---|{'--:|' * len(OPERATIONS)}",
    ]
    for unit in UNITS:
        texts = []
        for operation in OPERATIONS:
            mine = [
                row
                for row in rows
                if (row.unit, row.operation) == (unit, operation)
            ]
            texts.append(cell(operation, mine) if mine else "–")
        lines.append(f"| {unit} | {' | '.join(texts)} |")
    return lines


def _success(operation, rows):
    steps = [row.steps for row in rows if row.success]
    if not steps:
        return "0"
    return f"**{len(steps)}** ({np.median(steps):,.0f})"


def _error(operation, rows):
    threshold = success_threshold(operation)
    return f"{np.median([row.error for row in rows]) / threshold:.3g}"


def _exactness(operation, rows):
    return f"{np.median([row.sparsity_error for row in rows]):.2g}"
