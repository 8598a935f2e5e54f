"""The figure and the page."""

import dataclasses

from matplotlib.figure import Figure

from experiments.interaction_parameters.training import FUNCTIONS
from experiments.markdown import table
from tuning.study.files import replace_file

TITLES = {"dot": "dot product x·y", "sum": "sum x + y"}
STYLES = {
    "mlp": {"color": "tab:blue", "marker": "o", "label": "ReLU MLP"},
    "interaction": {
        "color": "tab:orange",
        "marker": "s",
        "label": "MultiplicativeInteraction",
    },
}


@dataclasses.dataclass(frozen=True)
class Need:
    """The smallest network found that fits a function.

    Attributes:
        row: `Row` of that network; of the largest one tried if none fits.
    """

    row: object

    @property
    def width(self):
        return self._at_least(self.row.width)

    @property
    def parameters(self):
        return self._at_least(self.row.parameters)

    def _at_least(self, number):
        return f"{number:,}" if self.row.reached else f"more than {number:,}"


def needs(rows, function, network):
    """Returns a `Need` for each dimension, as a dictionary."""
    found = {}
    for row in sorted(rows, key=lambda row: (row.dimension, row.width)):
        if (row.function, row.network) != (function, network):
            continue
        before = found.get(row.dimension)
        if before is None or not before.row.reached:
            found[row.dimension] = Need(row)
    return found


def write(rows, settings, how, directory):
    """Writes the figure and report.md.

    Args:
        rows: List of `Row`.
        settings: `Settings`.
        how: Sentences that say when and on which machine it ran.
        directory: `pathlib.Path` of an existing directory.
    """
    draw(rows, settings).savefig(directory / "parameters.png", dpi=120)
    replace_file(directory / "report.md", page(rows, settings, how))


def draw(rows, settings):
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    panels = figure.subplots(1, len(FUNCTIONS), sharex=True, sharey=True)
    for axes, function in zip(panels, FUNCTIONS, strict=True):
        for network, style in STYLES.items():
            found = needs(rows, function, network)
            parameters = [need.row.parameters for need in found.values()]
            axes.plot(
                list(found),
                parameters,
                markersize=0,
                **{**style, "label": None},
            )
            for reached in (True, False):
                shown = {
                    dimension: need.row.parameters
                    for dimension, need in found.items()
                    if need.row.reached == reached
                }
                if shown:
                    axes.plot(
                        list(shown),
                        list(shown.values()),
                        linestyle="none",
                        markerfacecolor=style["color"] if reached else "white",
                        **{
                            **style,
                            "label": style["label"]
                            + ("" if reached else ", needs more than this"),
                        },
                    )
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(
            settings.dimensions, [str(each) for each in settings.dimensions]
        )
        axes.minorticks_off()
        axes.set_xlabel("d, size of each vector")
        axes.set_title(TITLES[function])
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, loc="upper left")
    panels[0].set_ylabel(
        f"parameters for a mean squared error ≤ {settings.target:g}"
    )
    return figure


def page(rows, settings, how):
    rates = ", ".join(f"{rate:g}" for rate in settings.learning_rates)
    seeds = len(settings.seeds)
    lines = [
        "# Parameters to multiply",
        "",
        how,
        "",
        "The fewest parameters with which training fits the dot product x·y "
        "(one number) and the sum x + y (d numbers) of two vectors of size d: "
        "for a network with one hidden layer of rectified linear units (MLP), "
        "called on both vectors concatenated, and for one "
        "`kmul.layers.MultiplicativeInteraction` in its full form.",
        "",
        "The elements of x and y are independent and standard normal. A "
        "network fits if its mean squared error, averaged over the outputs, "
        f"is at most {settings.target:g} on {settings.validation_records:,} "
        "fresh records. The variance of the label is d for the dot product, "
        "and 2 for each element of the sum. Each network trained on "
        f"{settings.train_records:,} records with Adam at learning rates "
        f"{rates}, from {seeds} seed{'s' * (seeds > 1)} of initial weights "
        f"each, for up to {settings.steps:,} steps of {settings.batch_size} "
        f"records. Its error was measured every {settings.steps_per_epoch} "
        "steps, and one training that reaches the target is enough. The MLP's "
        "hidden width is d times a power of two: it fits at that width and "
        f"fails at half of it. The largest width tried is "
        f"{settings.max_width:,}.",
        "",
        "The table therefore shows what training finds, an upper bound of "
        "what is needed. The interaction has (d + 1)² parameters for the dot "
        "product and d (d + 1)² for the sum. A sum needs no products, and the "
        "MLP fits it with fewer parameters.",
        "",
        "![Parameters over d](parameters.png)",
        "",
        "An open marker is the largest network tried, where it does not fit.",
    ]
    for function in FUNCTIONS:
        mlp = needs(rows, function, "mlp")
        interaction = needs(rows, function, "interaction")
        lines += [
            "",
            f"## {TITLES[function].capitalize()}",
            "",
            table(
                [
                    "d",
                    "MLP width",
                    "MLP parameters",
                    "its error",
                    "interaction parameters",
                    "its error",
                ],
                [
                    [
                        str(dimension),
                        mlp[dimension].width,
                        mlp[dimension].parameters,
                        f"{mlp[dimension].row.error:.3f}",
                        interaction[dimension].parameters,
                        f"{interaction[dimension].row.error:.3f}",
                    ]
                    for dimension in settings.dimensions
                ],
            ),
        ]
    return "\n".join(lines) + "\n"
