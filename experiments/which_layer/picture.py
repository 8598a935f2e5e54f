"""The picture on the front page: `python -m experiments.which_layer.picture`.

It is made of the committed rows, the same as those of `docs/which_layer.md`.
"""

import pathlib

import matplotlib

matplotlib.use("Agg")

import pandas as pd
from matplotlib import pyplot

from experiments.which_layer import parts

RESULTS = pathlib.Path(__file__).parent / "results" / "results.csv"
PICTURE = pathlib.Path("docs/skills.png")
LAYERS = {
    "dense": "Dense, of Keras",
    "residual_dense": "ResidualDense",
    "gated_dense:gate_activation=silu": "GatedDense (silu)",
    "film:residual=False": "FiLM (residual=False)",
    "multiplicative_interaction:form=low_rank,rank=32": "MultiplicativeInteraction\n(low rank)",  # noqa: E501
    "low_rank_fusion": "LowRankFusion",
    "multiply_unit": "MultiplyUnit",
}
FUNCTIONS = {
    ("concat", "random"): "copy",
    ("elementwise_add", "random"): "a + b",
    ("reduce_sum", "random"): "sum of\nall",
    ("elementwise_mul", "random"): "a ∘ b",
    ("dot", "random"): "a · b",
    ("equality", "many_hot"): "a = b",
    ("logical_and", "many_hot"): "and",
    ("logical_or", "many_hot"): "or",
    ("logical_xor", "many_hot"): "xor",
}


def skills():
    """Returns the mean skill of each layer on each function, at least 0."""
    results = pd.read_csv(RESULTS)
    means = results.pivot_table(
        index="network", columns=["task", "inputs"], values="skill"
    )
    return means.loc[[*LAYERS], [*FUNCTIONS]].clip(0)


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
    axes.set_xlabel(
        f"two vectors of {parts.WIDTH} numbers or bits · skill: 0 is the best "
        f"constant, 1 is always right · mean of {parts.SEEDS} seeds"
    )
    return figure


if __name__ == "__main__":
    draw().savefig(PICTURE, dpi=130)
