"""The tables: which layers, on what, and how they are trained."""

import dataclasses

from tuning.networks.layers import LAYERS
from tuning.networks.registry import find_network
from tuning.problems.arithmetic import ArithmeticProblem
from tuning.study.cells import select_cells
from tuning.study.protocol import Protocol


@dataclasses.dataclass(frozen=True)
class Part:
    """A table of the layers of one kind.

    Attributes:
        name: Name of its place in the page.
        columns: Dictionary from pairs of task and inputs to their headings.
        baseline: Name of the network whose step is the unit of time.
        timed: The pair that steps are timed and parameters are counted on.
        depth: Depth of the networks.
        activations: Activations of the networks.
        timed_steps: How many steps are timed at once.
    """

    name: str
    columns: dict
    baseline: str
    timed: tuple
    depth: int = 1
    activations: tuple = ("linear",)
    timed_steps: int = 500

    @property
    def marks(self):
        """The comments in the page that the table stands between."""
        return (
            f"<!-- {self.name}: made by experiments.which_layer -->",
            f"<!-- {self.name}: end -->",
        )


# The columns of the first table. Three operations are left out: `one_hot_sum`,
# because there are only 1,024 pairs of one-hot vectors of 32 elements;
# `reduce_max`, because a constant is nearly always right; and `almost_equal`,
# because it is `equality` on bits.
OPERATIONS = {
    ("concat", "random"): "[a, b]",
    ("elementwise_add", "random"): "a + b",
    ("elementwise_mul", "random"): "a ∘ b",
    ("dot", "random"): "a · b",
    ("reduce_sum", "random"): "Σ",
    ("equality", "many_hot"): "=",
    ("logical_and", "many_hot"): "and",
    ("logical_or", "many_hot"): "or",
    ("logical_xor", "many_hot"): "xor",
    ("arithmetic_ops/add", "uniform"): "s + t",
    ("arithmetic_ops/sub", "uniform"): "s − t",
    ("arithmetic_ops/mul", "uniform"): "s t",
    ("arithmetic_ops/div", "uniform"): "s / t",
    ("arithmetic_ops/square", "uniform"): "s²",
    ("arithmetic_ops/root", "uniform"): "√s",
}
IMAGES = {
    ("placed_digits/digit", "images"): "digit",
    ("placed_digits/position", "images"): "position",
}
# Forms of layers that have several, besides the default.
FORMS = (
    "multiplicative_interaction:form=low_rank,rank=32",
    "multiplicative_interaction:form=diagonal",
    "multiplicative_interaction:form=scalar",
    "gated_dense:gate_activation=linear",
    "gated_dense:gate_activation=silu",
    "polynomial_dense:form=ncp",
    "film:residual=False",
    "polynomial_block_2d:form=regularized",
)
PROTOCOL = Protocol(
    search_steps=500,
    train_steps=2_000,
    learning_rates=(1e-3, 3e-3, 1e-2, 3e-2),
)
SEEDS = 3
WIDTH, TRAIN_RECORDS = 32, 100_000
TIMED_WIDTH, ROUNDS = 128, 5
PARTS = (
    Part("vectors", OPERATIONS, "dense", ("elementwise_mul", "random")),
    Part(
        "images",
        IMAGES,
        "keras.layers:Conv2D",
        ("placed_digits/digit", "images"),
        depth=3,
        activations=("linear", "relu"),
        timed_steps=50,
    ),
)


def networks_of(part):
    """Returns the names of the baseline and of all layers of its kind."""
    rank = find_network(part.baseline).input_rank
    names = (*LAYERS, *FORMS)
    return [
        part.baseline,
        *(name for name in names if find_network(name).input_rank == rank),
    ]


def cells_of(part, networks):
    return [
        cell
        for task, inputs in part.columns
        for cell in select_cells(
            [task],
            [inputs],
            networks,
            part.activations,
            # In arithmetic, a first layer has to find the two sums.
            [2 if ArithmeticProblem.has(task) else part.depth],
            range(SEEDS),
        )
    ]
