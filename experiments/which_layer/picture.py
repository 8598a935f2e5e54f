"""The picture on the front page: `python -m experiments.which_layer.picture`.

It is made of the known layers' rows, as `docs/which_layer.md` is.
"""

import pathlib

import matplotlib

matplotlib.use("Agg")

import pandas as pd
from matplotlib import pyplot

from tuning.cards.known import known_layers

PICTURE = pathlib.Path("docs/skills.png")
LAYERS = {
    "Dense": "Dense, of Keras",
    # With as many parameters as MultiplyUnit.
    "mlp(hidden_units=256)": "perceptron,\n256 hidden units",
    "ResidualDense": "ResidualDense",
    "GatedDense(gate_activation=silu)": "GatedDense (silu)",
    "FiLM(residual=False)": "FiLM (residual=False)",
    "MultiplicativeInteraction(form=low_rank, rank=16)": (
        "MultiplicativeInteraction\n(low rank)"
    ),
    "LowRankFusion": "LowRankFusion",
    "MultiplyUnit": "MultiplyUnit",
}
FUNCTIONS = {
    "concat/random": "copy",
    "elementwise_add/random": "a + b",
    "reduce_sum/random": "sum of\nall",
    "elementwise_mul/random": "a ∘ b",
    "dot/random": "a · b",
    "logical_and/many_hot": "and",
    "logical_or/many_hot": "or",
    "logical_xor/many_hot": "xor",
}


def skills():
    """Returns the mean skill of each layer on each function, at least 0."""
    scores = {each["name"]: each["scores"] for each in known_layers()["layers"]}
    return pd.DataFrame(scores).T.loc[[*LAYERS], [*FUNCTIONS]]


def draw():
    values = skills().to_numpy()
    figure, axes = pyplot.subplots(figsize=(9, 4.4), layout="constrained")
    axes.imshow(values, cmap="YlGn", vmin=0, vmax=1.15, aspect="auto")
    for (row, column), value in pd.DataFrame(values).stack().items():
        axes.text(
            column,
            row,
            f"{value:.2f}",
            ha="center",
            va="center",
            color="white" if value > 0.7 else "#333333",
            weight="bold" if value >= 0.9 else "normal",
        )
    axes.set_xticks(range(len(FUNCTIONS)), FUNCTIONS.values())
    axes.set_yticks(range(len(LAYERS)), LAYERS.values())
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("What one layer learns in 2,000 steps", pad=14)
    settings = known_layers()["made"]["settings"]
    axes.set_xlabel(
        f"two vectors of {settings['width']} numbers or bits · skill: 0 is the "
        f"best constant, 1 is always right · mean of {settings['seeds']} seeds"
    )
    return figure


if __name__ == "__main__":
    draw().savefig(PICTURE, dpi=130)
