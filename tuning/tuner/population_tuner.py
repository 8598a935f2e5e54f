"""A KerasTuner tuner for any oracle, with many trials trained at once."""

import json
import os

import keras_tuner

from tuning.tuner.trains_together import BUILD_CONFIG
from tuning.tuner.trains_together import CHECKPOINT
from tuning.tuner.trains_together import TrainsTogether


class PopulationTuner(TrainsTogether, keras_tuner.Tuner):
    """Trains as many trials at once as share an architecture.

    It asks its oracle for all the trials it can give, builds their models,
    trains those that differ in learning rate and weights alone as one
    `tuning.Population`, and reports each trial as any tuner does. Its results
    are those of one trial after the other, to rounding. Trials that cannot be
    trained together are trained by KerasTuner, one by one. For oracles of
    KerasTuner's there are `tuning.GridSearch`, `tuning.RandomSearch`,
    `tuning.BayesianOptimization` and `tuning.Hyperband`.

    Several processes share a search as with any tuner, one of them the chief,
    by the environment variables `KERASTUNER_TUNER_ID`, `KERASTUNER_ORACLE_IP`
    and `KERASTUNER_ORACLE_PORT`. The trials of a worker that dies are given to
    the others.

    Args:
        oracle: A KerasTuner oracle.
        hypermodel: A KerasTuner hypermodel, or a function of hyperparameters
            that returns a compiled model; None where `run_trial` is
            overridden.
        **kwargs: `max_members` (positive integer, how many trials to train
            together at most), `workers` (positive integer, how many
            architectures to train side by side), `save_checkpoints` (boolean,
            whether to keep each trial's weights of its best epoch),
            `lease_seconds` (how long a worker may be silent), and the
            arguments of every KerasTuner tuner, `directory`, `project_name`
            and `overwrite` for example.

    Example:

    ```python
    oracle = keras_tuner.oracles.GridSearchOracle(objective="val_loss")
    tuner = tuning.PopulationTuner(oracle, build, directory="search")
    tuner.search(x, y, epochs=10, validation_data=(x_val, y_val))
    print(tuner.results())
    ```
    """

    def __init__(self, oracle, hypermodel=None, **kwargs):
        super().__init__(oracle=oracle, hypermodel=hypermodel, **kwargs)

    def _build_hypermodel(self, hp):
        is_built = bool(self._models.get(id(hp)))
        model = super()._build_hypermodel(hp)
        earlier = hp.values.get("tuner/trial_id")
        if earlier is not None and not is_built:
            # Hyperband continues what an earlier trial has learned.
            directory = self.get_trial_dir(earlier)
            if not model.built:
                with open(os.path.join(directory, BUILD_CONFIG)) as file:
                    model.build_from_config(json.load(file))
            model.load_weights(os.path.join(directory, CHECKPOINT))
        return model
