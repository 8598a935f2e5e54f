"""Searching over learning rate and depth, many small models at once."""

import importlib

# Imported when first used: they import Keras, which ends in a traceback where
# its backend is not installed, before a command line could say so in a line.
_MODULES = {
    "BayesianOptimization": "tuning.tuner.tuners",
    "GridSearch": "tuning.tuner.tuners",
    "Hyperband": "tuning.tuner.tuners",
    "Population": "tuning.population.population",
    "PopulationTuner": "tuning.tuner.population_tuner",
    "RandomSearch": "tuning.tuner.tuners",
    "report_card": "tuning.cards.report",
}
__all__ = list(_MODULES)


def __getattr__(name):
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
