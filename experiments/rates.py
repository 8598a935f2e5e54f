"""Learning rates chosen by validation, none of them at the edge of a grid."""

import numpy as np

GRID = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)


def mean_losses(rows, seeds):
    """Returns the mean validation loss of each rate that all seeds have.

    Args:
        rows: List of rows of one network, each with a `learning_rate`, a `seed`
            and a `validation_loss`.
        seeds: Those that the rates are compared by.
    """
    losses = {}
    for row in rows:
        if row.seed in seeds:
            losses.setdefault(row.learning_rate, []).append(row.validation_loss)
    return {
        # One that diverges is never the best.
        rate: float(np.nan_to_num(np.mean(losses[rate]), nan=np.inf))
        for rate in sorted(losses)
        if len(losses[rate]) == len(seeds)
    }


def best_rate(rows, seeds):
    """Returns the rate of the lowest mean validation loss, of those tried."""
    losses = mean_losses(rows, seeds)
    return min(losses, key=losses.get)


def chosen(rows, settings):
    """Returns the rows of a network at its best rate, seeds in order."""
    best = best_rate(rows, settings.rate_seeds)
    return sorted(
        (row for row in rows if row.learning_rate == best),
        key=lambda row: row.seed,
    )


def search(fit, known, settings):
    """Trains a network at rates around the best one, there from all seeds.

    It starts with the rates of the settings. While the best of those tried is
    the lowest or the highest, the next one of `GRID` is tried.

    Args:
        fit: Called on a list of pairs of a rate and a seed, returns a row for
            each.
        known: Rows of an earlier, interrupted search.
        settings: Has `learning_rates`, neighbours in `GRID`; `seeds`; and
            `rate_seeds`, some of them, by which rates are compared.

    Yields:
        Lists of the rows that are new.
    """
    rows = list(known)
    while pairs := _next_pairs(rows, settings):
        rows += (new := fit(pairs))
        yield new


def is_finished(rows, settings):
    """Whether `search` has nothing to train any more."""
    return not _next_pairs(rows, settings)


def is_at_edge(rows, settings):
    """Whether the best rate is the lowest or the highest that was tried."""
    losses = mean_losses(rows, settings.rate_seeds)
    best = best_rate(rows, settings.rate_seeds)
    return best in (min(losses), max(losses))


def _next_pairs(rows, settings):
    """The pairs of a rate and a seed to train next, together."""
    rates = _next_rates(rows, settings)
    pairs = [(rate, seed) for rate in rates for seed in settings.rate_seeds]
    if not pairs:
        best = best_rate(rows, settings.rate_seeds)
        pairs = [(best, seed) for seed in settings.seeds]
    done = {(row.learning_rate, row.seed) for row in rows}
    return [pair for pair in pairs if pair not in done]


def _next_rates(rows, settings):
    """The rates that have to be tried before one is chosen."""
    tried = mean_losses(rows, settings.rate_seeds)
    missing = [rate for rate in settings.learning_rates if rate not in tried]
    if missing or len(settings.learning_rates) == 1:
        return missing
    best = best_rate(rows, settings.rate_seeds)
    index = GRID.index(best)
    if best == min(tried):
        return GRID[max(index - 1, 0) : index]
    if best == max(tried):
        return GRID[index + 1 : index + 2]
    return []
