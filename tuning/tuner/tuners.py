"""KerasTuner's tuners under their names, with many trials trained at once."""

import keras_tuner

from tuning.tuner.trains_together import TrainsTogether


class GridSearch(TrainsTogether, keras_tuner.GridSearch):
    """`keras_tuner.GridSearch`, which trains trials together where it can.

    Args:
        *args, **kwargs: As for `keras_tuner.GridSearch`, and those of
            `tuning.PopulationTuner`.

    Example:

    ```python
    tuner = tuning.GridSearch(build, objective="val_accuracy")
    tuner.search(x, y, epochs=5, validation_split=0.2)
    ```
    """


class RandomSearch(TrainsTogether, keras_tuner.RandomSearch):
    """`keras_tuner.RandomSearch`, which trains trials together where it can.

    Args:
        *args, **kwargs: As for `keras_tuner.RandomSearch`, and those of
            `tuning.PopulationTuner`.

    Example:

    ```python
    tuner = tuning.RandomSearch(build, "val_loss", max_trials=20)
    tuner.search(x, y, epochs=5, validation_split=0.2)
    ```
    """


class BayesianOptimization(TrainsTogether, keras_tuner.BayesianOptimization):
    """`keras_tuner.BayesianOptimization`, which trains trials together.

    It chooses up to `max_members` trials (8 by default) before it knows how
    they end, as it does for several workers. With `max_members=1` it chooses
    each after all others, as KerasTuner does alone.

    Args:
        *args, **kwargs: As for `keras_tuner.BayesianOptimization`, and those
            of `tuning.PopulationTuner`.
    """


class Hyperband(TrainsTogether, keras_tuner.Hyperband):
    """`keras_tuner.Hyperband`, which trains a bracket's rounds together.

    Args:
        *args, **kwargs: As for `keras_tuner.Hyperband`, and those of
            `tuning.PopulationTuner`.
    """
