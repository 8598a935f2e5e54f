"""A search as a table."""

import numpy as np


def results_table(oracle, seconds):
    """Returns a row per trial: see `TrainsTogether.results`.

    Args:
        oracle: A KerasTuner oracle.
        seconds: Dictionary of trials' ids and how long they took.
    """
    # A search's workers have no use for it, and it takes long to import.
    import pandas as pd

    rows = []
    for trial_id in oracle.start_order:
        trial = oracle.get_trial(trial_id)
        metrics = {
            name: np.mean(history.get_history()[-1].value)
            for name, history in trial.metrics.metrics.items()
            if history.get_history()
        }
        message = (trial.message or "").strip().splitlines()
        rows.append(
            {
                "trial": trial_id,
                **{
                    # A loss may be chosen, and measured.
                    f"hp/{name}" if name in metrics else name: value
                    for name, value in trial.hyperparameters.values.items()
                },
                **metrics,
                "score": trial.score,
                "best_step": trial.best_step,
                "status": trial.status,
                "message": message[-1] if message else "",
                "seconds": seconds.get(trial_id),
            }
        )
    return pd.DataFrame(rows)
