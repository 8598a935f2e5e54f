"""A search by KerasTuner, and the same one with a word replaced.

    python -m examples.search_digits keras_tuner
    python -m examples.search_digits tuning

The program is KerasTuner's either way. It looks for a learning rate, and for
the number of units, of a network that reads scikit-learn's handwritten digits.
Its trials have 2 architectures: `tuning` compiles a training loop for each, and
trains all models of it in there.
"""

import argparse
import importlib
import tempfile
import time

import keras
from sklearn.datasets import load_digits


def build(hp):
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(hp.Choice("units", [32, 64]), "relu"),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    model.compile(
        keras.optimizers.Adam(rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def search(module, directory, trials):
    """Searches with a tuner of `keras_tuner` or `tuning`, and returns it."""
    x, y = load_digits(return_X_y=True)
    x = x / 16
    tuner = module.RandomSearch(
        build, "val_accuracy", max_trials=trials, seed=0, directory=directory
    )
    tuner.search(
        x[:960],
        y[:960],
        epochs=5,
        validation_data=(x[960:1280], y[960:1280]),
        verbose=0,
    )
    return tuner


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module", choices=["keras_tuner", "tuning"])
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--picture", help="where to save one, with `tuning`")
    options = parser.parse_args(arguments)
    module = importlib.import_module(options.module)
    keras.utils.set_random_seed(0)
    with tempfile.TemporaryDirectory() as directory:
        start = time.perf_counter()
        tuner = search(module, directory, options.trials)
        seconds = time.perf_counter() - start
        trials = tuner.oracle.get_best_trials(3)
    print(f"{len(tuner.oracle.trials)} trials in {seconds:.1f} s")
    for trial in trials:
        print(f"{trial.score:.3f}  {trial.hyperparameters.values}")
    if options.picture:
        tuner.plot().savefig(options.picture)


if __name__ == "__main__":
    main()
