"""The tables and the page."""

import csv
import dataclasses

import numpy as np

from experiments.layer_attention import claims
from experiments.layer_attention import figures
from experiments.layer_attention.networks import TRANSFORMED_UNITS
from experiments.layer_attention.statistics import estimate

CURVES = ("gradient", "contribution", "attention")
LISTS = ("corrupted", "steps", *CURVES)


def write(runs, settings, how, directory):
    """Writes results.csv, the figures and report.md.

    Args:
        runs: List of `Run`.
        settings: `Settings`.
        how: Sentence that says on what it was run.
        directory: `pathlib.Path` of an existing directory.
    """
    _write_results(runs, directory / "results.csv")
    _write_curves(runs, directory / "curves.csv")
    sorted_runs = claims.Runs(runs)
    names = figures.draw_all(sorted_runs, directory)
    page = _page(sorted_runs, settings, how, names)
    (directory / "report.md").write_text(page)


def _write_results(runs, path):
    names = [
        field.name
        for field in dataclasses.fields(runs[0])
        if field.name not in LISTS
    ]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "mean_corrupted"])
        for run in runs:
            corrupted = sum(run.corrupted) / len(run.corrupted)
            writer.writerow([*(getattr(run, n) for n in names), corrupted])


def _write_curves(runs, path):
    """What was measured over training, mean over seeds."""
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["network", "depth", "quantity", "step", "layer", "mean"]
        )
        groups = {}
        for run in runs:
            groups.setdefault((run.network, run.depth), []).append(run)
        for start, group in groups.items():
            for name in CURVES:
                if getattr(group[0], name) is None:
                    continue
                mean = np.mean([getattr(run, name) for run in group], axis=0)
                for step, row in zip(group[0].steps, mean, strict=True):
                    for layer, value in enumerate(row, 1):
                        writer.writerow(
                            [*start, name, step, layer, f"{value:.6g}"]
                        )


def _page(runs, settings, how, figure_names):
    answers = claims.answers(runs)
    return "\n".join(
        [
            "# Attention over layers: a first test",
            "",
            *_introduction(settings, how),
            *_summary(answers),
            *_setting(runs, settings),
            *(
                line
                for number, (answer, name) in enumerate(
                    zip(answers, figure_names, strict=True), 1
                )
                for line in _answer(number, answer, name)
            ),
            *_static_weights(runs),
            *_networks(runs, settings),
            "",
        ]
    )


def _introduction(settings, how):
    lines = [
        "A convolutional network is read out at its last layer. Bird "
        "(*Layer-Attended Convolutional Networks*, 2022) proposes to read out "
        "all layers through attention, says what should be seen in training, "
        "and did not try it. This study does: it compares such networks with "
        "a plain one and a β-ResNet, and answers each of the proposal's "
        f"claims. {how}",
        "",
    ]
    if len(settings.seeds) < 5:
        lines += [
            "**A quick run: too few seeds and steps to conclude from.**",
            "",
        ]
    return lines


def _summary(answers):
    lines = ["## Answers", ""]
    for number, answer in enumerate(answers, 1):
        lines.append(f"{number}. {answer.claim} **{answer.verdict.title()}.**")
        lines += [f"   - {_in_numbers(part)}" for part in answer.parts]
        if answer.caution:
            lines.append(f"   - With care: {answer.caution}")
    lines += [
        "",
        "“Seen” says that the 95 % interval over seeds lies wholly on the "
        "claimed side, which was fixed before the study was run. It is not "
        "corrected for the number of comparisons, of which one in forty is "
        "expected to be seen by chance.",
        "",
    ]
    return lines


def _in_numbers(part):
    """How often it was seen, and the least and greatest of the means."""
    if len(part.findings) == 1:
        (finding,) = part.findings
        found = ", ".join(each.signed() for each in finding.estimates)
        return f"{part.name}: **{'yes' if finding.seen else 'no'}**, {found}."
    text = f"{part.name}: in **{part.seen} of {len(part.findings)}**"
    for index, column in enumerate(part.columns):
        found = sorted(
            (finding.estimates[index].mean, finding.subject)
            for finding in part.findings
        )
        (low, lowest), (high, highest) = found[0], found[-1]
        text += (
            f"; {column} from {low:+.3f} ({lowest}) to {high:+.3f} ({highest})"
        )
    return text + "."


def _setting(runs, settings):
    shallow, deep = runs.depths[0], runs.depths[-1]
    if len(settings.learning_rates) == 1:
        rates = f"Adam at {settings.learning_rates[0]}"
    else:
        rates = (
            "Adam; every network at every depth has the learning rate, of "
            f"{', '.join(f'{each:g}' for each in settings.learning_rates)}, "
            "that gives the lowest loss on validation images after "
            f"{settings.rate_steps} steps (mean of {len(settings.rate_seeds)} "
            "other seeds)"
        )
    size = settings.canvas_size
    return [
        "## What was done",
        "",
        "- **Task.** A handwritten digit of 8×8 pixels (scikit-learn's) lies "
        f"somewhere on a canvas of {size}×{size}, among "
        f"{settings.distractors} pieces of other digits. Which digit, and at "
        f"which of {settings.position_cells**2} places? The digit asks for "
        "abstraction, the position for the low layers. The test images show "
        "digits that are not in the training images. "
        f"Guessing is right in {0.1 / settings.position_cells**2:.2%} of "
        "images for both together.",
        "- **Networks.** `plain`: convolutions, one hidden layer that reads "
        "out the last, a classifier. `residual`: the same with "
        "g(x) = β f(x) + (1 − β) x about each convolution that keeps the "
        "size, β trained from 0.5. `sum`: the hidden layer reads out a "
        "weighted sum of all convolutions' outputs (ELMo's scalar mix). "
        "The others read out all of them: `concat` concatenates them; "
        "`static` scales each by a trained weight first, the weights summing "
        "to 1; `self` by weights computed from the outputs themselves; "
        "`recurrent` reads them with an LSTM. `+ transform`: each output goes "
        "through a dense layer of its own first.",
        f"- **Equal size.** {shallow} to {deep} convolutions of "
        f"{settings.filters} filters, the first of stride 2, the same for all "
        "networks. The width of the hidden layer (of the transform, where "
        f"there is one) is the largest within {settings.budget:,} parameters: "
        "to read out more layers costs width. The vector read out after a "
        f"transform has {TRANSFORMED_UNITS} elements.",
        f"- **Training.** {settings.steps:,} steps of {settings.batch_size} "
        f"images, none seen twice, {rates}. Keras's default initial weights. "
        f"{len(settings.seeds)} seeds; ± is a 95 % interval over them "
        "(Student's t), and differences are paired by seed.",
        "- **What it cannot say.** One task of small images, small networks, "
        f"{settings.steps:,} steps: whether a network learns fast, rather than "
        "what it would reach in the end. One kind of size to compare at, "
        "parameters. Initial weights that keep no scale through many relus, "
        "which is hard on deep plain networks.",
        "",
    ]


def _answer(number, answer, figure_name):
    lines = [
        f"## {number}. {answer.claim}",
        "",
        f"Tested as: {answer.test} Verdict: **{answer.verdict}**.",
        "",
        f"![{answer.claim}]({figure_name})",
        "",
    ]
    for part in answer.parts:
        lines += [
            f"**{part.name}** (seen in {part.seen} of {len(part.findings)}):",
            "",
            f"| | {' | '.join(part.columns)} | seen |",
            "|---|" + "---|" * (len(part.columns) + 1),
        ]
        for finding in part.findings:
            found = " | ".join(each.signed() for each in finding.estimates)
            seen = "yes" if finding.seen else "no"
            lines.append(f"| {finding.subject} | {found} | {seen} |")
        lines.append("")
    if answer.caution:
        lines += [f"**With care:** {answer.caution}", ""]
    return lines


def _static_weights(runs):
    lines = [
        "## How far the static weights moved",
        "",
        'The weights of "static" start equal. The network can also change a '
        "layer's share by the weights of the read-out that follow, whose "
        "effect the contribution shows.",
        "",
        "| network | depth | at the start | lowest and highest weight at the "
        "end | lowest and highest contribution at the end |",
        "|---|---|---|---|---|",
    ]
    for network in runs.networks:
        if not network.startswith("static"):
            continue
        for depth in runs.depths:
            ends = []
            for quantity in ("attention", "contribution"):
                last = runs.values(network, depth, quantity)[:, -1].mean(0)
                ends.append(
                    f"{last.min():.3f} (layer {last.argmin() + 1}), "
                    f"{last.max():.3f} (layer {last.argmax() + 1})"
                )
            lines.append(
                f"| {network} | {depth} | {1 / depth:.3f} | "
                f"{' | '.join(ends)} |"
            )
    return [*lines, ""]


def _networks(runs, settings):
    rounds = settings.recovery_rounds * len(settings.seeds)
    lines = [
        "## All networks",
        "",
        "Test accuracy: of both together, with the worst seed's, of the "
        "digit, and of the position. Width: units of the hidden layer, or of "
        "the transform. Time per training step: the fastest of "
        f"{rounds} rounds of {settings.round_steps} steps, on one processor."
        + _rates_at_the_edge(runs, settings),
        "",
        "| network | depth | both | worst seed | digit | position | rate | "
        "width | parameters | ms per step |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for network in runs.networks:
        for depth in runs.depths:
            both, digit, position = (
                estimate(runs.values(network, depth, name))
                for name in ("accuracy", "digit_accuracy", "position_accuracy")
            )
            first = runs.of(network, depth)[0]
            worst = runs.values(network, depth, "accuracy").min()
            milliseconds = runs.values(network, depth, "step_milliseconds")
            lines.append(
                f"| {network} | {depth} | {both} | {worst:.3f} | {digit} | "
                f"{position} | {first.learning_rate:g} | {first.units} | "
                f"{first.parameters:,} | {milliseconds.min():.1f} |"
            )
    return lines


def _rates_at_the_edge(runs, settings):
    """A sentence on those that a rate not tried might suit better."""
    if len(settings.learning_rates) == 1:
        return ""
    chosen = [
        runs.of(network, depth)[0].learning_rate
        for network in runs.networks
        for depth in runs.depths
    ]
    low, high = min(settings.learning_rates), max(settings.learning_rates)
    return (
        f" Of {len(chosen)} choices of the learning rate, "
        f"{chosen.count(low)} fell on the lowest and {chosen.count(high)} on "
        "the highest that was tried; one further out might suit these better."
    )
