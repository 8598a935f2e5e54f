"""The whole grid of a search space at once."""

import itertools

import keras_tuner


class GridOracle(keras_tuner.Oracle):
    """Tries every combination of the hyperparameters' values.

    KerasTuner's `GridSearchOracle` finds each combination from the one before
    it, and waits for that to end, so there are never more than two to train
    together. This one hands out all combinations of the hyperparameters that
    it knows. Combinations with a hyperparameter that turns up during the
    search follow when it has.

    Args:
        **kwargs: The arguments of every KerasTuner oracle, `objective` and
            `hyperparameters` for example.

    Example:

    ```python
    oracle = tuning.GridOracle(
        objective=keras_tuner.Objective("val_loss", "min")
    )
    tuner = tuning.PopulationTuner(oracle, build, directory="search")
    ```
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._space_size = None
        self._waiting = []

    def populate_space(self, trial_id):
        hp = self.get_space()
        if len(hp.space) != self._space_size:
            self._space_size = len(hp.space)
            tried = {
                _key(trial.hyperparameters.values)
                for trial in self.trials.values()
            }
            self._waiting = [
                values
                for values in _combinations(hp)
                if _key(values) not in tried
            ]
        if self._waiting:
            return {"status": "RUNNING", "values": self._waiting.pop(0)}
        if self.ongoing_trials:
            return {"status": "IDLE"}
        return {"status": "STOPPED"}


def _combinations(hp):
    """Yields the values of all combinations, those that are active."""
    seen = set()
    names = [each.name for each in hp.space]
    # The default, which KerasTuner tries first, comes first.
    choices = [
        [each.default, *(v for v in each.values if v != each.default)]
        for each in hp.space
    ]
    for values in itertools.product(*choices):
        hp.values = dict(zip(names, values, strict=True))
        active = {
            each.name: hp.values[each.name]
            for each in hp.space
            if hp.is_active(each)
        }
        if _key(active) not in seen:
            seen.add(_key(active))
            yield active


def _key(values):
    return tuple(sorted((name, repr(value)) for name, value in values.items()))
