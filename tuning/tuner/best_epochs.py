"""The weights of the best epoch, as KerasTuner saves them."""

import numpy as np


class BestEpochs:
    """Keeps the weights that KerasTuner would save: of the best epoch."""

    def __init__(self, objective):
        self._objective = objective
        self._best = {}

    def update(self, logs, weights):
        for i, log in logs.items():
            # Where what is optimized is computed after `fit`, the last.
            value = None
            if self._objective.has_value(log):
                value = self._objective.get_value(log)
            if self._is_better(value, self._best.get(i)):
                self._best[i] = value, weights(i)

    def weights(self, indices):
        """Returns the best of several members' weights, or None."""
        best = None
        for i in indices:
            if i in self._best and self._is_better(self._best[i][0], best):
                best = self._best[i]
        return None if best is None else best[1]

    def _is_better(self, value, best):
        worst = -np.inf if self._objective.direction == "max" else np.inf
        return value is None or self._objective.better_than(
            value, worst if best is None else best[0]
        )
