"""What attention over images costs, by the number of positions.

    python -m benchmarks.attention

Training steps of one layer on images of 14² to 56² positions of 64 channels,
all layers in turns: softmax self-attention of one head, as Keras computes it in
`keras.layers.MultiHeadAttention`, strip self-attention whose keys have half the
sides, and one of 7² keys at every size, as in the stages of its paper, and
additive attention. The table shows medians of processor time, which go to
`benchmarks/attention.csv` in the place of earlier ones of the same backend,
`KERAS_BACKEND`. The picture `docs/layers/attention.png` is drawn from all of
that file.
"""

import pathlib
import time

import keras
import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
from matplotlib import pyplot
from rich.console import Console
from rich.table import Table

from benchmarks.layers import take_turns
from benchmarks.layers import training_step
from kmul import layers

SIDES = (14, 21, 28, 42, 56)
CHANNELS, BATCH, ROUNDS = 64, 2, 9
KEYS_SIDE = 7
RESULTS = pathlib.Path(__file__).with_suffix(".csv")
PICTURE = pathlib.Path("docs/layers/attention.png")
SOFTMAX = "softmax self-attention"
STRIP = "StripSelfAttention2D, reduction 2"
STRIP_OF_FEW = "StripSelfAttention2D, 7² keys"
ADDITIVE = "AdditiveTokenMixer2D"
COLORS = {
    SOFTMAX: "tab:red",
    STRIP: "tab:orange",
    STRIP_OF_FEW: "tab:green",
    ADDITIVE: "tab:blue",
}


class SoftmaxAttention(keras.layers.Layer):
    """Self-attention between all positions of an image."""

    def __init__(self):
        super().__init__()
        self.attention = keras.layers.MultiHeadAttention(1, CHANNELS)

    def build(self, input_shape):
        self.attention.build((None, None, CHANNELS), (None, None, CHANNELS))

    def call(self, inputs):
        _, height, width, channels = inputs.shape
        tokens = keras.ops.reshape(inputs, (-1, height * width, channels))
        outputs = self.attention(tokens, tokens)
        return keras.ops.reshape(outputs, (-1, height, width, channels))


def layers_of(side):
    return {
        SOFTMAX: SoftmaxAttention(),
        STRIP: layers.StripSelfAttention2D(reduction=2),
        STRIP_OF_FEW: layers.StripSelfAttention2D(reduction=side // KEYS_SIDE),
        ADDITIVE: layers.AdditiveTokenMixer2D(),
    }


def measure():
    """Returns a row for each layer and size."""
    rows = []
    for side in SIDES:
        shape = (side, side, CHANNELS)
        x = np.random.default_rng(0).normal(size=(BATCH, *shape))
        x = x.astype("float32")
        made = layers_of(side)
        times = take_turns(
            time.process_time,
            *(
                training_step(layer, shape, x, np.zeros_like(x))
                for layer in made.values()
            ),
            rounds=ROUNDS,
        )
        for name, seconds in zip(made, np.median(times, axis=0), strict=True):
            rows.append(
                {
                    "backend": keras.config.backend(),
                    "layer": name,
                    "positions": side**2,
                    "ms": round(1e3 * seconds, 3),
                }
            )
    return pd.DataFrame(rows)


def growth(rows):
    """Returns by which power of the positions the time grows at the end."""
    rows = rows.sort_values("positions").iloc[[-3, -1]]
    ms, positions = np.log(rows["ms"]), np.log(rows["positions"])
    return (ms.iloc[1] - ms.iloc[0]) / (positions.iloc[1] - positions.iloc[0])


def draw(results, path=PICTURE):
    backends = sorted(results["backend"].unique())
    figure, panels = pyplot.subplots(
        1,
        len(backends),
        figsize=(3.4 * len(backends), 3.9),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axes, backend in zip(panels[0], backends, strict=True):
        of_backend = results[results["backend"] == backend]
        for layer, color in COLORS.items():
            rows = of_backend[of_backend["layer"] == layer]
            axes.loglog(
                rows["positions"], rows["ms"], "o-", color=color, label=layer
            )
        axes.set_xticks([side**2 for side in SIDES])
        axes.set_xticklabels([f"{side}²" for side in SIDES])
        axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set_title(backend)
        axes.set_xlabel("positions")
        axes.grid(alpha=0.3)
    panels[0][0].set_ylabel("training step, ms of processor time")
    figure.legend(
        *panels[0][0].get_legend_handles_labels(),
        loc="outside upper center",
        ncols=2,
        frameon=False,
    )
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def main():
    results = measure()
    table = Table(
        "layer",
        *(f"{side}²" for side in SIDES),
        "power",
        title=f"{keras.config.backend()}, ms",
    )
    for name in COLORS:
        rows = results[results["layer"] == name]
        cells = [f"{ms:.2f}" for ms in rows["ms"]]
        table.add_row(name, *cells, f"{growth(rows):.2f}")
    Console().print(table)
    if RESULTS.exists():
        before = pd.read_csv(RESULTS)
        others = before[before["backend"] != keras.config.backend()]
        results = pd.concat([others, results])
    results.to_csv(RESULTS, index=False)
    draw(results)


if __name__ == "__main__":
    main()
