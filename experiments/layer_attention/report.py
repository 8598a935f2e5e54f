"""The page of tables and figures."""

from experiments.layer_attention import claims
from experiments.layer_attention import figures
from experiments.layer_attention.networks import TRANSFORMED_UNITS
from experiments.layer_attention.statistics import estimate
from experiments.markdown import table
from tuning.study.files import replace_file


def write(runs, settings, how, directory):
    """Writes the figures and report.md.

    Args:
        runs: List of `Run`.
        settings: `Settings`.
        how: Sentences that say when and on which machine it ran.
        directory: `pathlib.Path` of an existing directory.
    """
    sorted_runs = claims.Runs(runs)
    names = figures.draw_all(sorted_runs, directory)
    page = _page(sorted_runs, settings, how, names)
    replace_file(directory / "report.md", page)


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
        "A convolutional network usually reads out its last layer alone. Bird "
        "(*Layer-Attended Convolutional Networks*, 2022) proposes to read out "
        "all layers through attention, predicts what training should show, "
        "and leaves it untried. This experiment compares such networks with a "
        "plain one and a β-ResNet, and tests each of the proposal's claims. "
        f"{how}",
        "",
    ]
    if len(settings.seeds) < 5:
        lines += [
            "**A quick run: too few seeds and steps for any conclusion.**",
            "",
        ]
    return lines


def _summary(answers):
    lines = ["## Answers", ""]
    for number, answer in enumerate(answers, 1):
        lines.append(f"{number}. {answer.claim} **{answer.verdict.title()}.**")
        lines += [f"   - {_in_numbers(part)}" for part in answer.parts]
        if answer.caution:
            lines.append(f"   - Caution: {answer.caution}")
    lines += [
        "",
        "“Seen” means that the whole 95 % interval over seeds lies on the "
        "claimed side. This rule was fixed before the first run. It is not "
        "corrected for the number of comparisons: by chance alone, one in "
        "forty would be seen. “Partly” means that some comparisons were seen "
        "and others were not; it does not say that the claim holds in part.",
        "",
    ]
    return lines


def _in_numbers(part):
    """Says how often it was seen, and the least and greatest of the means."""
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
            "Adam; each network at each depth uses whichever learning rate of "
            f"{', '.join(f'{each:g}' for each in settings.learning_rates)} "
            "has the lowest loss on validation images after "
            f"{settings.rate_steps} steps (mean of {len(settings.rate_seeds)} "
            "other seeds)"
        )
    size = settings.canvas_size
    return [
        "## Method",
        "",
        "- **Task.** A handwritten digit of 8×8 pixels (scikit-learn's) lies "
        f"somewhere on a canvas of {size}×{size}, among "
        f"{settings.distractors} pieces of other digits. Which digit, and at "
        f"which of {settings.position_cells**2} places? The digit needs "
        "abstraction, the position needs the low layers. The test images show "
        "digits that are not in the training images. A guess gets both right "
        f"in {0.1 / settings.position_cells**2:.2%} of images.",
        "- **Networks.** `plain`: convolutions, one hidden layer that reads "
        "out the last of them, a classifier. `residual`: the same with "
        "g(x) = β f(x) + (1 − β) x around each convolution that keeps the "
        "size; β is trained and starts at 0.5. `sum`: the hidden layer reads a "
        "weighted sum of all convolutions' outputs (ELMo's scalar mix). "
        "The others read all of them: `concat` concatenates them; `static` "
        "first scales each by a trained weight, and the weights sum to 1; "
        "`self` computes the weights from the outputs themselves; "
        "`recurrent` reads the outputs with an LSTM. With `+ transform`, each "
        "output first goes through a dense layer of its own.",
        f"- **Equal size.** {shallow} to {deep} convolutions of "
        f"{settings.filters} filters, the first of stride 2, the same for all "
        "networks. The width of the hidden layer (of the transform, where "
        f"there is one) is the largest within {settings.budget:,} parameters: "
        "reading out more layers costs width. The vector read out after a "
        f"transform has {TRANSFORMED_UNITS} elements.",
        f"- **Training.** {settings.steps:,} steps of {settings.batch_size} "
        f"images, none seen twice, {rates}. Keras's default initial weights. "
        f"{len(settings.seeds)} seeds; ± is a 95 % interval over them "
        "(Student's t), and differences are paired by seed.",
        "- **Limits.** One task with small images, small networks and "
        f"{settings.steps:,} steps: this shows which network learns fast, not "
        "what each would reach in the end. Networks are compared at equal "
        "parameters only. The initial weights do not keep the scale of the "
        "signal through many relus, which is hard on deep plain networks.",
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
            table(
                ["", *part.columns, "seen"],
                [
                    [
                        finding.subject,
                        *(each.signed() for each in finding.estimates),
                        "yes" if finding.seen else "no",
                    ]
                    for finding in part.findings
                ],
            ),
            "",
        ]
    if answer.caution:
        lines += [f"**Caution:** {answer.caution}", ""]
    return lines


def _static_weights(runs):
    rows = []
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
            rows.append([network, str(depth), f"{1 / depth:.3f}", *ends])
    return [
        "## How far the static weights moved",
        "",
        'The weights of "static" start equal. The network can also change a '
        "layer's share through the weights of the read-out that follows; the "
        "contribution includes that effect.",
        "",
        table(
            [
                "network",
                "depth",
                "at the start",
                "lowest and highest weight at the end",
                "lowest and highest contribution at the end",
            ],
            rows,
        ),
        "",
    ]


def _networks(runs, settings):
    rounds = settings.recovery_rounds * len(settings.seeds)
    rows = []
    for network in runs.networks:
        for depth in runs.depths:
            both, digit, position = (
                estimate(runs.values(network, depth, name))
                for name in ("accuracy", "digit_accuracy", "position_accuracy")
            )
            first = runs.of(network, depth)[0]
            worst = runs.values(network, depth, "accuracy").min()
            milliseconds = runs.values(network, depth, "step_milliseconds")
            rows.append(
                [
                    network,
                    str(depth),
                    str(both),
                    f"{worst:.3f}",
                    str(digit),
                    str(position),
                    f"{first.learning_rate:g}",
                    str(first.units),
                    f"{first.parameters:,}",
                    f"{milliseconds.min():.1f}",
                ]
            )
    return [
        "## All networks",
        "",
        "Test accuracy: both right (mean over seeds, and the worst seed), the "
        "digit alone, and the position alone. Width: units of the hidden "
        "layer, or of the transform. Time of a training step: the fastest of "
        f"{rounds} rounds of {settings.round_steps} steps, on one processor."
        + _rates_at_the_edge(runs, settings),
        "",
        table(
            [
                "network",
                "depth",
                "both",
                "worst seed",
                "digit",
                "position",
                "rate",
                "width",
                "parameters",
                "ms per step",
            ],
            rows,
        ),
    ]


def _rates_at_the_edge(runs, settings):
    """Says how many networks might do better at a rate that was not tried."""
    if len(settings.learning_rates) == 1:
        return ""
    chosen = [
        runs.of(network, depth)[0].learning_rate
        for network in runs.networks
        for depth in runs.depths
    ]
    low, high = min(settings.learning_rates), max(settings.learning_rates)
    return (
        f" Of the {len(chosen)} chosen learning rates, {chosen.count(low)} is "
        f"the lowest and {chosen.count(high)} are the highest that were tried: "
        "a rate beyond these might do better."
    )
