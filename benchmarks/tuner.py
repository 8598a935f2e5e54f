"""Times searches with these tuners and with KerasTuner's, in pairs.

    python -m benchmarks.tuner --search rates --repeats 3

Each search runs in a process of its own, imports and data left out of its
time; the two tuners take turns, and each pair gives a ratio. Needs
scikit-learn, whose digits are the data.
"""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from tuning.arguments import Parser
from tuning.arguments import positive_integer

REPEATS = 3


def rates(hp):
    """12 learning rates of an MLP."""
    from keras import layers

    return compiled(
        [
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
        ],
        hp.Choice("rate", [1e-4 * 2**i for i in range(12)]),
    )


def convolutions(hp):
    """8 learning rates of a small CNN."""
    from keras import layers

    return compiled(
        [
            layers.Reshape((8, 8, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
        ],
        hp.Choice("rate", [1e-4 * 2**i for i in range(8)]),
    )


def recurrent(hp):
    """8 learning rates of an LSTM over the rows."""
    from keras import layers

    return compiled(
        [layers.Reshape((8, 8)), layers.LSTM(16)],
        hp.Choice("rate", [1e-4 * 2**i for i in range(8)]),
    )


def architectures(hp):
    """12 architectures."""
    from keras import layers

    body = [
        layers.Dense(
            hp.Choice("units", [16, 32, 48]),
            activation=hp.Choice("activation", ["relu", "tanh"]),
        )
    ]
    if hp.Boolean("dropout"):
        body.append(layers.Dropout(0.25))
    return compiled(body, 1e-3)


SEARCHES = {
    search.__name__: search
    for search in (rates, convolutions, recurrent, architectures)
}


def compiled(body, rate):
    import keras

    model = keras.Sequential(
        [
            keras.Input((64,)),
            *body,
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def run(search, tuner):
    """Runs one search in this process; returns seconds and best score."""
    import keras
    import keras_tuner
    from sklearn.datasets import load_digits

    import tuning

    module = {"kmul": tuning, "keras_tuner": keras_tuner}[tuner]
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    keras.utils.set_random_seed(0)
    with tempfile.TemporaryDirectory() as directory:
        start = time.perf_counter()
        found = module.GridSearch(
            SEARCHES[search], "val_accuracy", directory=directory
        )
        found.search(
            x[:960],
            y[:960],
            epochs=5,
            validation_data=(x[960:1280], y[960:1280]),
            verbose=0,
        )
        seconds = time.perf_counter() - start
        best = found.oracle.get_best_trials()[0].score
    return {"seconds": seconds, "best": float(best)}


def run_apart(search, tuner):
    """The same in a process of its own."""
    root = pathlib.Path(__file__).parent.parent
    result = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.tuner"),
            *("--search", search, "--tuner", tuner),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise SystemExit(f"{tuner} on {search} failed:\n{result.stderr}")
    return json.loads(result.stdout.splitlines()[-1])


def main(arguments=None):
    parser = Parser(
        prog="python -m benchmarks.tuner", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--search", nargs="+", choices=SEARCHES)
    parser.add_argument("--repeats", type=positive_integer, default=REPEATS)
    parser.add_argument(
        "--tuner",
        choices=["kmul", "keras_tuner"],
        help="run one search with this tuner, in this process",
    )
    options = parser.parse_args(arguments)
    searches = options.search or list(SEARCHES)
    if options.tuner:
        with contextlib.redirect_stdout(sys.stderr):
            result = run(searches[0], options.tuner)
        print(json.dumps(result))
        return
    backend = os.environ.get("KERAS_BACKEND", "the configured backend")
    print(f"Seconds on {backend}, medians of {options.repeats} pairs.")
    print("search         keras_tuner   kmul  ratio  (least, most)")
    for search in searches:
        pairs = []
        for i in range(options.repeats):
            order = ("keras_tuner", "kmul")[:: 1 if i % 2 else -1]
            pairs.append({t: run_apart(search, t)["seconds"] for t in order})
        stock, mine = (
            statistics.median(pair[tuner] for pair in pairs)
            for tuner in ("keras_tuner", "kmul")
        )
        ratios = sorted(pair["keras_tuner"] / pair["kmul"] for pair in pairs)
        print(
            f"{search:14} {stock:11.1f} {mine:6.1f} "
            f"{statistics.median(ratios):6.2f}  "
            f"({ratios[0]:.2f}, {ratios[-1]:.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
