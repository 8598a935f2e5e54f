"""The page."""

import numpy as np

from experiments.markdown import table
from experiments.neural_arithmetic.threshold import published_threshold
from experiments.neural_arithmetic.training import UNITS
from tasks.arithmetic_ops import OPERATIONS
from tasks.arithmetic_ops import success_threshold
from tuning.study.files import replace_file

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
        how: Sentences that say when and on which machine it ran.
        directory: `pathlib.Path` of an existing directory.
    """
    replace_file(directory / "report.md", page(rows, settings, how))


def page(rows, settings, how):
    start, full = (share * settings.steps for share in settings.warmup)
    seeds = len(settings.seeds)
    return "\n".join(
        [
            "# Arithmetic that extrapolates",
            "",
            how,
            "",
            "In a vector of 100 numbers, s and t are the sums of two quarters "
            "that share half of their elements. A network learns an operation "
            "on s and t: a `kmul.layers.NAU` of two units has to find the "
            "sums, and one unit of the layer in the table follows it. The "
            "network trains on numbers from 1 to 2 and is tested on numbers "
            "from 2 to 6. Success means an error below that of a solution "
            "whose weights are all off by 0.00001. Madsen and Johansen "
            "(*Neural Arithmetic Units*, 2020) define success in a similar "
            "way, but with a stricter threshold.",
            "",
            f"Adam at {settings.learning_rate:g}, up to {settings.steps:,} "
            f"steps of {settings.batch_size} records; the validation error is "
            f"measured every {settings.steps_per_epoch:,} steps, and training "
            "stops at a tenth of the error that counts as success. `NAU` and "
            f"`NMU` are regularized to exact weights from step {start:,.0f} "
            f"on, at full strength from step {full:,.0f}; the strength is "
            f"{settings.strength:g}, times the variance of the labels where "
            f"that is below 1. {seeds} seeds of initial weights. Units that "
            "can only add are tried on sums and differences alone.",
            "",
            "## Success",
            "",
            f"How many of {seeds} trainings succeed, how many of them by the "
            "published threshold, and the median of the steps of the former.",
            "",
            _thresholds(),
            "",
            by_unit(rows, _success),
            "",
            "## Error",
            "",
            "Median error of extrapolation, as a multiple of the threshold: 1 "
            "or less is success.",
            "",
            by_unit(rows, _error),
            "",
            "## Exactness",
            "",
            "The largest distance to −1, 0 or 1 of the weights that should "
            "find the sums (median over the seeds). At 0.5, the sums were not "
            "found exactly, whatever the error says.",
            "",
            by_unit(rows, _exactness),
            "",
        ]
    )


def by_unit(rows, cell):
    """Returns a table of units by operations.

    Args:
        rows: List of `Row`.
        cell: Returns the text for an operation and its rows of one unit.
    """
    lines = []
    for unit in UNITS:
        texts = []
        for operation in OPERATIONS:
            mine = [
                row
                for row in rows
                if (row.unit, row.operation) == (unit, operation)
            ]
            texts.append(cell(operation, mine) if mine else "–")
        lines.append([unit, *texts])
    return table(["unit", *(SYMBOLS[each] for each in OPERATIONS)], lines)


def _success(operation, rows):
    steps = [row.steps for row in rows if row.success]
    if not steps:
        return "0"
    published = sum(row.error < published_threshold(operation) for row in rows)
    return f"**{len(steps)}**, {published} ({np.median(steps):,.0f})"


def _thresholds():
    def line(name, threshold):
        return [name, *(f"{threshold(each):.2g}" for each in OPERATIONS)]

    return table(
        ["threshold", *(SYMBOLS[each] for each in OPERATIONS)],
        [
            line("here", success_threshold),
            line("published", published_threshold),
        ],
    )


def _error(operation, rows):
    threshold = success_threshold(operation)
    return f"{np.median([row.error for row in rows]) / threshold:.3g}"


def _exactness(operation, rows):
    return f"{np.median([row.sparsity_error for row in rows]):.2g}"
